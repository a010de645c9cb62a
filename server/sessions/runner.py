"""Holds one session: pairs it, connects it, keeps it connected, follows its events."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from server.clock import now_ms
from server.errors import not_found
from server.sessions import device_folder
from server.sessions.backoff import Backoff
from server.sessions.inbox import Inbox, Ingest, mark_read, next_events
from server.sessions.ownership import Ownership, held_elsewhere
from server.sessions.patience import Patience
from server.sessions.state import Phase
from server.store.records import Session
from server.store.sessions import SessionRepository
from server.whatsapp.pairing_port import Paired, Pairing, PairingAttempt, PairingCode, PairingFailure, QRCode
from server.whatsapp.port import (
    Client,
    ClientError,
    ClientFactory,
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
    Event,
    Identity,
    NotPairedError,
    Stalled,
)
from server.whatsapp.threads import uninterrupted

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.5
"""How long a session that has found a lost message waits for others, before it connects anew."""


class Runner:
    """Holds one session on this node.

    Its `record` is the session as stored; it changes only by `change`, which stores first.
    """

    def __init__(
        self,
        record: Session,
        device: Path,
        *,
        repository: SessionRepository,
        clients: ClientFactory,
        pairing: Pairing,
        ingest: Ingest,
        ownership: Ownership,
        became_live: Callable[[Session], None],
    ) -> None:
        """Does nothing before `start`.

        Args:
            record: the session.
            device: the folder for its device's keys.
            repository: where it is stored.
            clients: makes its connections.
            pairing: begins its pairing attempts.
            ingest: takes what it receives.
            ownership: acquires its lease, without which nothing runs.
            became_live: is told whenever it has become connected.
        """
        self.record = record
        self.phase = Phase.IDLE
        self.code: QRCode | None = None
        self._device = device
        self._repository = repository
        self._clients = clients
        self._pairing = pairing
        self._inbox = Inbox(ingest)
        self._ownership = ownership
        self._generation: int | None = None
        self._became_live = became_live
        self._client: Client | None = None
        self._attempt: PairingAttempt | None = None
        self.retired = False
        self._begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lifecycle = asyncio.Lock()

    @property
    def is_held(self) -> bool:
        """Whether this node holds the session now."""
        return self._generation is not None and self._generation == self._ownership.generation(self.record.id)

    @property
    def client(self) -> Client | None:
        """The connection, where it is live and this node holds the session."""
        return self._client if self.phase is Phase.LIVE and self.is_held else None

    async def change(self, **changes: object) -> None:
        """Stores changed fields of the record, even when its caller is cancelled meanwhile.

        Raises:
            WagateError: NOT_FOUND where the session was deleted, UNAVAILABLE where another node has taken it.
        """
        await uninterrupted(self._change(changes))

    async def _change(self, changes: dict[str, object]) -> None:
        changes["updated_at"] = now_ms()
        if not await self._repository.update(self.record.id, changes, generation=self._generation):
            if await self._repository.find(self.record.id) is None:
                raise not_found("session")
            raise held_elsewhere("")
        self.record = replace(self.record, **changes)  # type: ignore[arg-type] # names are the record's own

    # Each of the following runs to its end even when its caller goes away: a start beside a stop that was
    # left halfway would hold the device twice.

    async def start(self) -> None:
        """Connects a paired session, begins pairing an unpaired one. Does nothing where it runs.

        Raises:
            WagateError: UNAVAILABLE where another node holds the session or too many pairings are under
                way; NOT_FOUND where the session was deleted.
        """
        await uninterrupted(self._under_lease(self._start))

    async def _start(self) -> None:
        if self._runs():
            return
        if self.record.wa_jid is not None:
            if not self.record.wanted or self.record.ending is not None:
                await self.change(wanted=True, ending=None)
            await self._begin(self._stay_connected, Phase.CONNECTING)
        else:
            await self.change(ending=None)
            await device_folder.empty(self._device)
            attempt = await self._pairing.begin(self.record.id, self._device)
            self._attempt = attempt
            await self._begin(partial(self._pair, attempt), Phase.PAIRING)

    async def code_for(self, phone: str) -> PairingCode:
        """Asks the pairing under way for a code to type; see `PairingAttempt.code_for`.

        Raises:
            RefusedError, ConnectError: see there; the latter too where no pairing is under way.
        """
        if self._attempt is None:
            raise ConnectError("no pairing is under way any more")
        return await self._attempt.code_for(phone)

    async def stop(self) -> None:
        """Ends whatever runs until somebody starts the session again; the device stays linked.

        Raises:
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._stop))

    async def _stop(self) -> None:
        await self._end_task()
        if self.record.wanted:
            await self.change(wanted=False)

    async def restart(self) -> None:
        """Ends whatever runs, and starts again.

        Raises:
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._restart))

    async def _restart(self) -> None:
        await self._end_task()
        await self._start()

    async def suspend(self) -> None:
        """Ends whatever runs and lets go of it; a node that starts connects it again."""
        await uninterrupted(self._suspend())

    async def _suspend(self) -> None:
        async with self._lifecycle:
            await self._end_task()
            await self._ownership.release(self.record.id)
            await self._inbox.store_soon(self.record)
            self._inbox.give_up(self.record)

    async def lose(self, generation: int) -> None:
        """Ends at once what runs under a lease that this node has lost.

        It does not wait for an operation under way, which may be waiting for a database that is away.
        """
        task = self._task
        if task is not None and self._generation == generation:
            await self._begun.wait()
            task.cancel()
            await asyncio.wait({task})

    async def logout(self) -> None:
        """Unlinks the device of a live session.

        Raises:
            ClientError: WhatsApp did not confirm it; nothing changed.
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._logout))

    async def _logout(self) -> None:
        if self.client is not None:
            await self.client.logout()
        await self._end_task()
        await self._forget_device(Ending.LOGGED_OUT)

    async def retire(self) -> None:
        """Deletes the session and its device. A live one is unlinked first, where that works.

        Raises:
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._retire))

    async def _retire(self) -> None:
        self.retired = True
        try:
            if self.client is not None:
                await self.client.logout()
        except ClientError as error:
            log.warning("session %s is given up without being unlinked: %s", self.record.id, error)
        await self._end_task()
        await device_folder.remove(self._device)
        await self._repository.delete(self.record.id)

    async def store_rest(self) -> None:
        """Stores what could not be stored when the session ended here. Does nothing where it runs."""
        if not self._inbox.is_empty and not self._lifecycle.locked():
            async with self._lifecycle:
                if not self._runs():
                    await self._inbox.store_soon(self.record)

    async def _under_lease(self, operation: Callable[[], Awaitable[None]]) -> None:
        """One operation at a time, with the lease, which is kept for as long as something runs."""
        async with self._lifecycle:
            if self.retired:
                raise not_found("session")
            if not self.is_held:
                await self._acquire()
            try:
                await operation()
            finally:
                if not self._runs():
                    await self._ownership.release(self.record.id)

    async def _acquire(self) -> None:
        await self._end_task()  # which may run still under a lease that is lost
        self._generation = await self._ownership.acquire(self.record.id)
        # Another node may have changed it since this one looked.
        record = await self._repository.find(self.record.id)
        if record is None:
            raise not_found("session")
        self.record = record

    def _runs(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _begin(self, work: Callable[[], Awaitable[None]], phase: Phase) -> None:
        self.phase = phase
        self._begun.clear()
        self._task = asyncio.create_task(self._run(work), name=f"session-{self.record.id}")
        # A task that is cancelled before it began would never let go of what it was given.
        await self._begun.wait()

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        self._begun.set()
        try:
            await work()
        except Exception:
            log.exception("session %s stopped over a defect of the gateway", self.record.id)
        finally:
            self.phase = Phase.IDLE
            self.code = None
        # It ended by itself; whoever cancels it decides about the lease.
        await self._ownership.release(self.record.id)

    async def _end_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _forget_device(self, ending: str) -> None:
        await self.change(ending=ending, wanted=False, wa_jid=None, wa_lid=None, phone_number=None)
        await device_folder.remove(self._device)

    async def _pair(self, attempt: PairingAttempt) -> None:
        try:
            paired = await self._await_scan(attempt)
        finally:
            self._attempt = None
            await attempt.stop()
        if paired is None:
            return
        await self.change(
            wa_jid=str(paired.jid), wa_lid=None, phone_number=paired.jid.user, ending=None, wanted=True
        )
        log.info("session %s is paired", self.record.id)
        self.code = None
        self.phase = Phase.CONNECTING
        await self._stay_connected()

    async def _await_scan(self, attempt: PairingAttempt) -> Paired | None:
        while True:
            event = await attempt.next()
            if isinstance(event, QRCode):
                self.code = event
                self.phase = Phase.SHOWING_CODE
            elif isinstance(event, Paired):
                return event
            else:
                log.info("pairing of session %s ended: %s", self.record.id, event.reason)
                # Nobody scanned: that is no failure, the user starts again.
                expired = event.reason is PairingFailure.EXPIRED
                await self.change(ending=None if expired else str(event.reason))
                return None

    async def _stay_connected(self) -> None:
        backoff = Backoff()
        while self.is_held:
            self.phase = Phase.CONNECTING
            try:
                await self._inbox.store(self.record)
                await self._inbox.ask_again(self._clients, self._device)
                if await self._clients.reachable() and await self._connect_once(backoff):
                    return
            except Exception:
                # A session must not stay down over a defect; what it is stands in the log.
                log.exception("session %s failed and is tried again", self.record.id)
            # Attempts in a row would storm WhatsApp, which bans for it.
            await asyncio.sleep(backoff.seconds())

    async def _connect_once(self, backoff: Backoff) -> bool:
        """One incarnation, from its connect to its stop.

        Returns:
            Whether the session is over: WhatsApp ended it, and connecting again would not help.
        """
        client = self._client = self._clients.open(self.record.id, self._device)
        ending: Ending | None
        try:
            await self._note_identity(await client.connect())
            ending = await self._follow(client, backoff)
        except NotPairedError:
            log.warning("session %s has lost its device: it must be paired again", self.record.id)
            ending = Ending.LOGGED_OUT
        except ConnectError as error:
            log.info("session %s connects anew: %s", self.record.id, error)
            ending = None
        finally:
            self.phase = Phase.CONNECTING
            self._client = None
            await uninterrupted(self._let_go(client))
        if ending is Ending.LOGGED_OUT:
            await self._forget_device(ending)
        elif ending is not None:
            await self.change(ending=str(ending), wanted=False)
        return ending is not None

    async def _let_go(self, client: Client) -> None:
        """Stops a client and stores what had arrived: that saves asking its senders for it again."""
        await client.stop()
        while events := await client.events():
            self._inbox.note(events)
        await self._inbox.store_soon(self.record)

    async def _note_identity(self, identity: Identity) -> None:
        lid = str(identity.lid) if identity.lid is not None else None
        if lid is not None and lid != self.record.wa_lid:
            await self.change(wa_lid=lid)

    async def _follow(self, client: Client, backoff: Backoff) -> Ending:
        patience = Patience(backoff, self._clients.reachable)
        while True:
            events = await next_events(client, limit=patience.look_after)
            ending = await self._take(events)
            if ending is not None:
                log.warning("WhatsApp ended session %s: %s", self.record.id, ending)
                return ending
            await patience.check(is_live=self.phase is Phase.LIVE)

    async def _take(self, events: Sequence[Event]) -> Ending | None:
        self._inbox.note(events)
        await self._inbox.store(self.record)
        if self._inbox.lost:
            # What was lost with it is told within a moment, and asked for together.
            await asyncio.sleep(GATHER_SECONDS)
            raise ConnectError(f"{len(self._inbox.lost)} messages were decrypted and never stored")
        if self._client is not None:
            self._client.confirm()
        if self.record.auto_read and self._client is not None:
            await mark_read(self._client, self.record, events)
        for event in events:
            match event:
                case Connected():
                    self.phase = Phase.LIVE
                    log.info("session %s is connected", self.record.id)
                    await self.change(last_connected_at=now_ms())
                    self._became_live(self.record)
                case Disconnected():
                    self.phase = Phase.CONNECTING
                    log.info("session %s lost its connection", self.record.id)
                case Stalled():
                    raise ConnectError("WhatsApp left a send without an answer")
                case Ended(ending):
                    return ending
                case _:
                    pass  # it is stored already
        return None
