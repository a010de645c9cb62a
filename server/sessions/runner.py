"""Holds one session: pairs it, connects it, keeps it connected, follows its events."""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from server.clock import now_ms
from server.sessions.backoff import Backoff
from server.sessions.state import Phase
from server.store.records import Session
from server.store.sessions import SessionRepository
from server.whatsapp.port import (
    Client,
    ClientFactory,
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
    Event,
    Identity,
    NotPairedError,
    Paired,
    Pairing,
    PairingAttempt,
    PairingFailure,
    QRCode,
    Received,
    Stalled,
)

log = logging.getLogger(__name__)

LOGIN_SECONDS: Final = 30.0
"""How long a made connection may take to log in before it is replaced."""
RECOVERY_SECONDS: Final = 3.0
"""How long the library may take to get a lost connection back while WhatsApp is reachable."""

Ingest = Callable[[Session, Sequence[Received]], Awaitable[None]]
"""Takes what a session received, in order, and returns once it is stored."""


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
    ) -> None:
        """Does nothing before `start`.

        Args:
            record: the session.
            device: the folder for its device's keys.
            repository: where it is stored.
            clients: makes its connections.
            pairing: begins its pairing attempts.
            ingest: takes what it receives.
        """
        self.record = record
        self.phase = Phase.IDLE
        self.code: QRCode | None = None
        self._device = device
        self._repository = repository
        self._clients = clients
        self._pairing = pairing
        self._ingest = ingest
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._lifecycle = asyncio.Lock()

    @property
    def client(self) -> Client | None:
        """The connection, where it is live."""
        return self._client if self.phase is Phase.LIVE else None

    async def change(self, **changes: object) -> None:
        """Stores changed fields of the record."""
        changes["updated_at"] = now_ms()
        await self._repository.update(self.record.id, changes)
        self.record = replace(self.record, **changes)  # type: ignore[arg-type] # names are the record's own

    async def start(self) -> None:
        """Connects a paired session, begins pairing an unpaired one. Does nothing where it runs.

        Raises:
            WagateError: UNAVAILABLE where too many pairings are under way.
        """
        async with self._lifecycle:
            if self._task is not None and not self._task.done():
                return
            if self.record.wa_jid is not None:
                await self.change(wanted=True, ending=None)
                self._begin(self._stay_connected(), Phase.CONNECTING)
            else:
                await asyncio.to_thread(_empty_folder, self._device)
                attempt = await self._pairing.begin(self.record.id, self._device)
                self._begin(self._pair(attempt), Phase.PAIRING)

    async def stop(self, *, wanted: bool = False) -> None:
        """Ends whatever runs; the device stays linked.

        Args:
            wanted: whether the session shall be connected again when the node starts.
        """
        async with self._lifecycle:
            if self.record.wanted != wanted:
                await self.change(wanted=wanted)
            await self._end_task()

    async def logout(self) -> None:
        """Unlinks the device of a live session.

        Raises:
            ClientError: WhatsApp did not confirm it; nothing changed.
        """
        async with self._lifecycle:
            if self.client is not None:
                await self.client.logout()
            await self._end_task()
            await self._forget_device(Ending.LOGGED_OUT)

    def _begin(self, work: Awaitable[None], phase: Phase) -> None:
        self.phase = phase
        self._task = asyncio.ensure_future(self._run(work))
        self._task.set_name(f"session-{self.record.id}")

    async def _run(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            log.exception("session %s stopped over a defect of the gateway", self.record.id)
        finally:
            self.phase = Phase.IDLE
            self.code = None

    async def _end_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _forget_device(self, ending: str) -> None:
        await self.change(ending=ending, wanted=False, wa_jid=None, wa_lid=None, phone_number=None)
        await asyncio.to_thread(shutil.rmtree, self._device, ignore_errors=True)

    async def _pair(self, attempt: PairingAttempt) -> None:
        try:
            paired = await self._await_scan(attempt)
        finally:
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
        while True:
            self.phase = Phase.CONNECTING
            try:
                if await self._clients.reachable() and await self._connect_once(backoff):
                    return
            except Exception:
                # A session must not stay down over a defect; what it is stands in the log.
                log.exception("session %s failed and is tried again", self.record.id)
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
            await client.stop()
        if ending is Ending.LOGGED_OUT:
            await self._forget_device(ending)
        elif ending is not None:
            await self.change(ending=str(ending), wanted=False)
        return ending is not None

    async def _note_identity(self, identity: Identity) -> None:
        lid = str(identity.lid) if identity.lid is not None else None
        if lid is not None and lid != self.record.wa_lid:
            await self.change(wa_lid=lid)

    async def _follow(self, client: Client, backoff: Backoff) -> Ending:
        patience = LOGIN_SECONDS
        away_since: float | None = time.monotonic()
        while True:
            events = await self._next_events(client, limit=None if away_since is None else 1.0)
            ending = await self._take(events)
            if ending is not None:
                log.warning("WhatsApp ended session %s: %s", self.record.id, ending)
                return ending
            if self.phase is Phase.LIVE:
                if away_since is not None:
                    backoff.reset()
                away_since = None
            elif away_since is None:
                away_since, patience = time.monotonic(), RECOVERY_SECONDS
            elif not await self._clients.reachable():
                # The network is down: neither the library nor a new client could do better now.
                away_since, patience = time.monotonic(), RECOVERY_SECONDS
            elif time.monotonic() - away_since > patience:
                raise ConnectError("the connection did not come back by itself")

    async def _next_events(self, client: Client, limit: float | None) -> Sequence[Event]:
        try:
            async with asyncio.timeout(limit):
                return await client.events()
        except TimeoutError:
            return ()

    async def _take(self, events: Sequence[Event]) -> Ending | None:
        received: list[Received] = []
        for event in events:
            if isinstance(event, Received):
                received.append(event)
                continue
            await self._store(received)
            received = []
            match event:
                case Connected():
                    self.phase = Phase.LIVE
                    log.info("session %s is connected", self.record.id)
                    await self.change(last_connected_at=now_ms())
                case Disconnected():
                    self.phase = Phase.CONNECTING
                    log.info("session %s lost its connection", self.record.id)
                case Stalled():
                    raise ConnectError("WhatsApp left a send without an answer")
                case Ended(ending):
                    return ending
        await self._store(received)
        return None

    async def _store(self, received: Sequence[Received]) -> None:
        if received:
            await self._ingest(self.record, received)


def _empty_folder(folder: Path) -> None:
    """An attempt begins without leftovers of one that was never scanned."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
