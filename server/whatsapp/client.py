"""The port's implementation over neonize."""

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neonize.exc import LogoutError, SendMessageError
from neonize.proto.Neonize_pb2 import (
    ClientOutdated,
    ConnectFailure,
    LoggedOut,
    StreamReplaced,
    TemporaryBan,
)
from neonize.proto.Neonize_pb2 import Connected as ConnectedEvent
from neonize.proto.Neonize_pb2 import Disconnected as DisconnectedEvent
from neonize.proto.Neonize_pb2 import Message as MessageEvent

from server.whatsapp.content import Content
from server.whatsapp.decoding import decode_jid, decode_message
from server.whatsapp.device_store import holds_device, note_unlinked
from server.whatsapp.encoding import encode_content, encode_jid
from server.whatsapp.jid import Jid
from server.whatsapp.library import LibraryClient
from server.whatsapp.port import (
    ClientError,
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
    Event,
    Identity,
    NotPairedError,
    OutcomeUnknownError,
    RefusedError,
    Sent,
    Stalled,
)
from server.whatsapp.refusals import Refusal, refusal_of
from server.whatsapp.threads import ClientGoneError, LibraryGate
from server.whatsapp.wire import Wire

log = logging.getLogger(__name__)

SENDS_AT_A_TIME: Final = 4
"""Sends of one session inside the library. It sends them one after the other; a few hide the way to it."""
EVENTS_WAITING: Final = 1000
"""Events taken from the library and not yet by the domain; beyond, the session's thread waits."""
LOGOUT_SECONDS: Final = 20.0
"""How long WhatsApp may take to confirm a logout."""

_ENDINGS: Final = {
    LoggedOut: Ending.LOGGED_OUT,
    StreamReplaced: Ending.REPLACED,
    TemporaryBan: Ending.BANNED,
    ClientOutdated: Ending.OUTDATED,
    ConnectFailure: Ending.REFUSED,
}
_EVENTS: Final = (ConnectedEvent, DisconnectedEvent, MessageEvent, *_ENDINGS)

_incarnations = itertools.count(1)


class NeonizeClient:
    """One incarnation of one session's connection, held by neonize."""

    def __init__(
        self, gate: LibraryGate, wire: Wire, session_id: str, device: Path, device_name: str
    ) -> None:
        """Prepares a client; see `server.whatsapp.port.Client`."""
        self._wire = wire
        self._device = device
        self._library = LibraryClient(
            gate,
            device,
            incarnation=f"{session_id}.{next(_incarnations)}",
            device_name=device_name,
            events=_EVENTS,
            on_event=self._take,
        )
        self._loop = asyncio.get_running_loop()
        self._events: list[Event] = []
        self._arrived = asyncio.Event()
        self._room = threading.Semaphore(EVENTS_WAITING)
        self._stopped = False
        self._turn = asyncio.Semaphore(SENDS_AT_A_TIME)

    async def connect(self) -> Identity:
        """See the port."""
        if not await asyncio.to_thread(holds_device, self._device):
            raise NotPairedError("the device store holds no linked device")
        try:
            device = await self._library.open(self._wire.proxy)
        except ConnectionError as error:
            raise ConnectError(str(error)) from error
        jid = decode_jid(device.JID)
        if jid is None:
            raise NotPairedError("the device store holds no linked device")
        return Identity(jid, decode_jid(device.LID))

    async def stop(self) -> None:
        """See the port."""
        if self._stopped:
            return
        self._stopped = True
        # Whoever waits for room in the session's thread must not keep it from ending.
        self._room.release(EVENTS_WAITING)
        await self._library.close()
        self._arrived.set()

    async def logout(self) -> None:
        """See the port."""
        try:
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self._library.logout()  # type: ignore[no-untyped-call] # neonize's gap
        except (LogoutError, ClientGoneError, TimeoutError) as error:
            raise ClientError(f"WhatsApp did not confirm the logout: {error}") from error
        await asyncio.to_thread(note_unlinked, self._device)

    async def is_live(self) -> bool:
        """See the port."""
        try:
            return await self._library.is_live()
        except ClientGoneError:
            return False

    async def events(self) -> Sequence[Event]:
        """See the port."""
        while not self._events and not self._stopped:
            self._arrived.clear()
            await self._arrived.wait()
        taken, self._events = self._events, []
        room = sum(not isinstance(event, Stalled) for event in taken)
        if room:
            self._room.release(room)
        return taken

    async def send(self, to: Jid, content: Content, *, within: float) -> Sent:
        """See the port."""
        deadline = time.monotonic() + within
        try:
            async with asyncio.timeout(within):
                await self._turn.acquire()
        except TimeoutError:
            raise RefusedError(
                Refusal.BUSY, "earlier sends of this session are still waiting for WhatsApp"
            ) from None
        sending = self._loop.create_task(self._hand_over(to, content), name="send")
        sending.add_done_callback(lambda _: self._turn.release())
        done, _ = await asyncio.wait({sending}, timeout=max(0.0, deadline - time.monotonic()))
        if not done:
            sending.add_done_callback(_consume)
            # The library sends nothing else before this answer has come, or 75 seconds have passed.
            self._append(Stalled())
            raise OutcomeUnknownError(f"WhatsApp did not answer within {within:g} s", late=sending)
        return sending.result()

    async def _hand_over(self, to: Jid, content: Content) -> Sent:
        message = encode_content(content)
        try:
            response = await self._library.send_message(encode_jid(to), message)
        except ClientGoneError:
            raise RefusedError(Refusal.NOT_CONNECTED, "the session was stopped") from None
        except SendMessageError as error:
            text = str(error)
            refusal = refusal_of(text)
            if refusal is None:
                raise OutcomeUnknownError(text) from error
            raise RefusedError(refusal, text) from error
        return Sent(id=response.ID, timestamp=response.Timestamp * 1000, content=message.SerializeToString())

    def _take(self, event: object) -> None:
        """Runs in the session's own thread."""
        decoded = _decode(event)
        if decoded is None:
            return
        if isinstance(event, LoggedOut):
            note_unlinked(self._device)
        self._room.acquire()
        self._loop.call_soon_threadsafe(self._append, decoded)

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._arrived.set()


def _decode(event: object) -> Event | None:
    if isinstance(event, MessageEvent):
        return decode_message(event)
    if isinstance(event, ConnectedEvent):
        return Connected()
    if isinstance(event, DisconnectedEvent):
        return Disconnected()
    return Ended(_ENDINGS[type(event)])


def _consume(sending: "asyncio.Task[Sent]") -> None:
    """Takes note of a late failure, which nobody else may be waiting for."""
    if not sending.cancelled() and (error := sending.exception()) is not None:
        log.info("a send that had timed out ended with: %s", error)


class NeonizeClients:
    """Makes clients that share the process's gate."""

    def __init__(self, wire: Wire, device_name: str) -> None:
        """Clients reach WhatsApp, or what stands in for it, by `wire`."""
        self._gate = LibraryGate()
        self._wire = wire
        self._device_name = device_name

    def open(self, session_id: str, device: Path) -> NeonizeClient:
        """See `server.whatsapp.port.ClientFactory`."""
        return NeonizeClient(self._gate, self._wire, session_id, device, self._device_name)

    async def reachable(self) -> bool:
        """See `server.whatsapp.port.ClientFactory`."""
        return await self._wire.reachable()

    def close(self) -> None:
        """Takes no more calls. Every client must be stopped before."""
        self._gate.close()
