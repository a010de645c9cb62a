"""Keeps one paired session connected, incarnation after incarnation, and follows its events."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from server.clock import now_ms
from server.sessions import device_folder
from server.sessions.backoff import Backoff
from server.sessions.inbox import Inbox, mark_read, next_events
from server.sessions.liveness import Liveness
from server.sessions.patience import Patience
from server.sessions.state import Phase
from server.sessions.tracking import TrackedSession
from server.store.failures import DatabaseFailure
from server.store.records import Session
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
    KeepAliveMissed,
    NotPairedError,
    Stalled,
)
from server.whatsapp.signs import Signs
from server.whatsapp.threads import uninterrupted

log = logging.getLogger(__name__)

LEAVE_SECONDS = 0.05
"""What the confirmations of a moment ago need to go out: what is not confirmed when the keys of its sender
are deleted has to be asked for as well."""


class Connecting:
    """Makes a session's connections, one after the other.

    Attributes:
        client: the one of now, None between two.
        connects: how often a login has succeeded since this node keeps the session connected.
    """

    def __init__(
        self,
        session: TrackedSession,
        device: Path,
        *,
        clients: ClientFactory,
        inbox: Inbox,
        became_live: Callable[[Session], None],
        probe_after: float,
    ) -> None:
        """Connects nothing before `stay`.

        Args:
            session: the session.
            device: the folder with its device's keys.
            clients: makes its connections.
            inbox: keeps what it receives until that is stored.
            became_live: is told whenever it has become connected.
            probe_after: see `server.sessions.liveness.Liveness`, `idle`.
        """
        self.connects = 0
        self.client: Client | None = None
        self._session = session
        self._device = device
        self._clients = clients
        self._inbox = inbox
        self._became_live = became_live
        self._probe_after = probe_after
        self._earlier = Signs()

    @property
    def signs(self) -> Signs:
        """When a connection of the session was last seen to work."""
        return self._earlier if self.client is None else self.client.signs.behind(self._earlier)

    async def stay(self, is_held: Callable[[], bool]) -> None:
        """Connects, and again whenever the connection is lost, until WhatsApp ends the session.

        Args:
            is_held: whether this node holds the session still; it is left where it does not.
        """
        backoff = Backoff()
        self.connects = 0
        while is_held():
            self._session.enter(Phase.CONNECTING)
            try:
                await self._inbox.store(self._session.record)
                await self._inbox.ask_again(self._clients, self._device)
                if await self._clients.reachable() and await self._connect_once(backoff):
                    return
                if self._inbox.lost:
                    continue  # at once: their senders do not keep them for ever
            except DatabaseFailure as error:
                log.warning("session %s is tried again: %s", self._session.record.id, error.message)
                self._session.enter(Phase.CONNECTING)
            except Exception:
                # A session must not stay down over a defect; what it is stands in the log.
                log.exception("session %s failed and is tried again", self._session.record.id)
                self._session.enter(Phase.CONNECTING)
            await asyncio.sleep(backoff.seconds())  # WhatsApp bans those who storm it

    async def forget_device(self, ending: str) -> None:
        """The device is unlinked: its keys are of no use any more."""
        await self._session.change(ending=ending, wanted=False, wa_jid=None, wa_lid=None, phone_number=None)
        await device_folder.remove(self._device)

    async def _connect_once(self, backoff: Backoff) -> bool:
        """One incarnation, from its connect to its stop.

        Returns:
            Whether the session is over: WhatsApp ended it, and connecting again would not help.
        """
        session_id = self._session.record.id
        client = self.client = self._clients.open(session_id, self._device)
        ending: Ending | None
        try:
            await self._note_identity(await client.connect())
            ending = await self._follow(client, backoff)
        except NotPairedError:
            log.warning("session %s has lost its device: it must be paired again", session_id)
            ending = Ending.LOGGED_OUT
        except ConnectError as error:
            log.info("session %s connects anew: %s", session_id, error)
            self._session.enter(Phase.CONNECTING)
            ending = None
        finally:
            # Not told yet: an ending is told with its reason, and a stop by whoever stops.
            self._session.be(Phase.CONNECTING)
            self._earlier, self.client = self.signs, None
            await uninterrupted(self._let_go(client))
        if ending is None:
            return False
        self._session.be(Phase.IDLE)
        if ending is Ending.LOGGED_OUT:
            await self.forget_device(ending)
        else:
            await self._session.change(ending=str(ending), wanted=False)
        return True

    async def _let_go(self, client: Client) -> None:
        """Stops a client and stores what had arrived: that saves asking its senders for it again."""
        await client.stop()
        while events := await client.events():
            self._inbox.note(events)
        await self._inbox.store_soon(self._session.record)

    async def _note_identity(self, identity: Identity) -> None:
        lid = str(identity.lid) if identity.lid is not None else None
        if lid is not None and lid != self._session.record.wa_lid:
            await self._session.change(wa_lid=lid)

    async def _follow(self, client: Client, backoff: Backoff) -> Ending:
        patience = Patience(backoff, self._clients.reachable)
        liveness = Liveness(client, idle=self._probe_after)
        try:
            while True:
                limits = (patience.look_after, liveness.look_after, self._inbox.asks_in)
                events = await next_events(client, limit=min(each for each in limits if each is not None))
                ending = await self._take(client, events, liveness)
                if ending is not None:
                    log.warning("WhatsApp ended session %s: %s", self._session.record.id, ending)
                    return ending
                if self._inbox.asks_in == 0:
                    await asyncio.sleep(LEAVE_SECONDS)  # nothing tells that confirmations have gone out
                    raise ConnectError(f"{len(self._inbox.lost)} messages were decrypted and never stored")
                is_live = self._session.phase is Phase.LIVE
                await patience.check(is_live=is_live)
                await liveness.check(is_live=is_live)
        finally:
            await liveness.close()

    async def _take(self, client: Client, events: Sequence[Event], liveness: Liveness) -> Ending | None:
        session = self._session
        self._inbox.note(events)
        await self._inbox.store(session.record)
        client.confirm(but=self._inbox.lost)
        if session.record.auto_read:
            await mark_read(client, session.record, events)
        for event in events:
            match event:
                case Connected():
                    self.connects += 1
                    await session.change(last_connected_at=now_ms(), entering=Phase.LIVE)
                    log.info("session %s is connected", session.record.id)
                    self._became_live(session.record)
                case Disconnected():
                    session.enter(Phase.CONNECTING)
                    log.info("session %s lost its connection", session.record.id)
                case KeepAliveMissed(answered_at):
                    log.info("session %s waits for a keep-alive's answer", session.record.id)
                    client.signs.note_kept_alive(answered_at)
                    liveness.doubt()
                case Stalled():
                    raise ConnectError("WhatsApp left a send without an answer")
                case Ended(ending):
                    return ending
                case _:
                    pass  # it is stored already
        return None
