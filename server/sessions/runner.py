"""Holds one session: runs its pairing or its connection under a lease, as its callers ask."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from server.errors import not_found
from server.sessions import device_folder
from server.sessions.connecting import Connecting
from server.sessions.inbox import Inbox, Ingest
from server.sessions.ownership import Ownership
from server.sessions.state import Phase
from server.sessions.tracking import TrackedSession
from server.store.records import Session
from server.store.sessions import SessionRepository
from server.whatsapp.pairing_port import Paired, Pairing, PairingAttempt, PairingCode, PairingFailure, QRCode
from server.whatsapp.port import Client, ClientError, ClientFactory, ConnectError, Ending
from server.whatsapp.signs import Signs
from server.whatsapp.threads import uninterrupted

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.05
"""How often to look whether what is about to end goes on after all."""
TELLING_SECONDS: Final = 5.0
"""How long telling where a session stands may take when this node lets go of it."""


class Runner:
    """Holds one session on this node."""

    def __init__(
        self,
        record: Session,
        device: Path,
        *,
        node_id: str,
        repository: SessionRepository,
        clients: ClientFactory,
        pairing: Pairing,
        ingest: Ingest,
        ownership: Ownership,
        became_live: Callable[[Session], None],
        probe_after: float,
    ) -> None:
        """Does nothing before `start`.

        Args:
            record: the session.
            device: the folder for its device's keys.
            node_id: this node.
            repository: where it is stored.
            clients: makes its connections.
            pairing: begins its pairing attempts.
            ingest: takes what it receives.
            ownership: acquires its lease, without which nothing runs.
            became_live: is told whenever it has become connected.
            probe_after: seconds without an answer after which its connection is asked for one.
        """
        self._session = TrackedSession(record, repository, node_id)
        self._device = device
        self._repository = repository
        self._pairing = pairing
        self._inbox = Inbox(ingest)
        self._connecting = Connecting(
            self._session,
            device,
            clients=clients,
            inbox=self._inbox,
            became_live=became_live,
            probe_after=probe_after,
        )
        self._ownership = ownership
        self._attempt: PairingAttempt | None = None
        self._begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lifecycle = asyncio.Lock()

    @property
    def record(self) -> Session:
        """The session as stored."""
        return self._session.record

    @property
    def phase(self) -> Phase:
        """What is done for it now."""
        return self._session.phase

    @property
    def code(self) -> QRCode | None:
        """The code that it shows."""
        return self._session.code

    @property
    def retired(self) -> bool:
        """Whether it is being deleted, or was."""
        return self._session.retired

    @property
    def is_held(self) -> bool:
        """Whether this node holds the session now."""
        generation = self._session.generation
        return generation is not None and generation == self._ownership.generation(self.record.id)

    @property
    def since(self) -> int:
        """When it came to stand where it stands, as far as this node knows: epoch milliseconds."""
        return self._session.since

    @property
    def signs(self) -> Signs:
        """When its connection was last seen to work."""
        return self._connecting.signs

    @property
    def reconnects(self) -> int:
        """How often its connection was made anew since it was started here."""
        return max(0, self._connecting.connects - 1)

    @property
    def client(self) -> Client | None:
        """The connection, where it is live and this node holds the session."""
        return self._connecting.client if self.phase is Phase.LIVE and self.is_held else None

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
                await self._session.change(wanted=True, ending=None)
            await self._begin(self._stay_connected, Phase.CONNECTING)
            return
        await device_folder.empty(self._device)
        attempt = await self._pairing.begin(self.record.id, self._device)
        try:
            # Before its old ending is forgotten, which would be told as a stop of a session at rest.
            self._session.be(Phase.PAIRING)
            await self._session.change(ending=None)
        except BaseException:
            self._session.be(Phase.IDLE)
            await attempt.stop()
            raise
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
            await self._session.change(wanted=False)

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
            self._session.tell()
            await self._session.settle(TELLING_SECONDS)
            await self._ownership.release(self.record.id)
            await self._inbox.store_soon(self.record)
            self._inbox.give_up(self.record)

    async def lose(self, generation: int) -> None:
        """Ends at once what runs under a lease that this node has lost.

        It does not wait for an operation under way, which may be waiting for a database that is away.
        """
        task = self._task
        if task is not None and self._session.generation == generation:
            await self._begun.wait()
            task.cancel()
            await asyncio.wait({task})
            self._session.tell()

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
        await self._connecting.forget_device(Ending.LOGGED_OUT)

    async def retire(self) -> None:
        """Deletes the session and its device. A live one is unlinked first, where that works.

        Raises:
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._retire))

    async def _retire(self) -> None:
        self._session.retired = True
        try:
            if self.client is not None:
                await self.client.logout()
        except ClientError as error:
            log.warning("session %s is given up without being unlinked: %s", self.record.id, error)
        await self._end_task()
        await self._session.settle(TELLING_SECONDS)
        await device_folder.remove(self._device)
        await self._repository.delete(self.record.id)

    async def tell(self) -> None:
        """Tells where the session stands now, for a node that ended before it could.

        Raises:
            WagateError: as for `start`.
        """
        await uninterrupted(self._under_lease(self._tell))

    async def _tell(self) -> None:
        self._session.tell()
        await self._session.settle(TELLING_SECONDS)

    async def store_rest(self) -> None:
        """Stores what could not be stored when the session ended here. Does nothing where it runs."""
        if not self._inbox.is_empty and not self._lifecycle.locked():
            async with self._lifecycle:
                if not self._runs():
                    await self._inbox.store_soon(self.record)

    async def _under_lease(self, operation: Callable[[], Awaitable[None]]) -> None:
        """One operation at a time, with the lease, which is kept for as long as something runs."""
        async with self._lifecycle:
            await self._let_end()
            if self.retired:
                raise not_found("session")
            if not self.is_held:
                await self._acquire()
            try:
                await operation()
            finally:
                self._session.tell()
                if not self._runs():
                    await self._ownership.release(self.record.id)

    async def _let_end(self) -> None:
        """Waits for what has told its ending and is about to end: it gives the lease back last.

        Whoever reads that a session has ended may start it at once, and must not find it running.
        """
        while (task := self._task) is not None and not task.done() and self.phase is Phase.IDLE:
            await asyncio.wait({task}, timeout=LOOK_SECONDS)  # its ending may fail, and it goes on then

    async def _acquire(self) -> None:
        await self._end_task()  # which may run still under a lease that is lost
        generation = await self._ownership.acquire(self.record.id)
        # Another node may have changed it since this one looked.
        record = await self._repository.find(self.record.id)
        if record is None:
            raise not_found("session")
        self._session.hold(generation, record)

    def _runs(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _begin(self, work: Callable[[], Awaitable[None]], phase: Phase) -> None:
        self._session.enter(phase)
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
            self._session.be(Phase.IDLE)
        # It ended by itself; whoever cancels it tells what that comes to, and decides about the lease.
        self._session.tell()
        await self._ownership.release(self.record.id)

    async def _end_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _pair(self, attempt: PairingAttempt) -> None:
        try:
            paired = await self._await_scan(attempt)
        finally:
            self._attempt = None
            await attempt.stop()
        if paired is None:
            return
        self._session.be(Phase.CONNECTING)
        await self._session.change(
            wa_jid=str(paired.jid), wa_lid=None, phone_number=paired.jid.user, ending=None, wanted=True
        )
        log.info("session %s is paired", self.record.id)
        await self._stay_connected()

    async def _await_scan(self, attempt: PairingAttempt) -> Paired | None:
        while True:
            event = await attempt.next()
            if isinstance(event, QRCode):
                self._session.show(event)
            elif isinstance(event, Paired):
                return event
            else:
                log.info("pairing of session %s ended: %s", self.record.id, event.reason)
                # Nobody scanned: that is no failure, the user starts again.
                expired = event.reason is PairingFailure.EXPIRED
                self._session.be(Phase.IDLE)
                await self._session.change(ending=None if expired else str(event.reason))
                return None

    async def _stay_connected(self) -> None:
        await self._connecting.stay(lambda: self.is_held)
