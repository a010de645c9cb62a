"""A virtual contact that truly reads and writes: one real client, whose cryptography is all the library's.

This module imports neonize; only the people process does so. Before that, ``people.py`` prepares the process.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

from neonize._binder import ProxySettings, consume_bytes_struct, gocode
from neonize.aioze.client import NewAClient
from neonize.aioze.events import (
    ConnectedEv,
    DisconnectedEv,
    LoggedOutEv,
    MessageEv,
    ReceiptEv,
    StreamReplacedEv,
)
from neonize.exc import NeonizeError
from neonize.proto import Neonize_pb2 as events
from neonize.utils.enum import ReceiptType

from sandbox import person_presence
from sandbox.person_content import composed, jid_of, poll_info
from sandbox.person_groups import act
from sandbox.person_heard import described, jid_text

__all__ = ["Gate", "Person", "PersonError"]

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")
Emit = Callable[[dict[str, object]], None]

_ENTER_SECONDS = 0.05
_CONNECT_SECONDS = 30
_RECONNECT_SECONDS = 10
_STORE_OPTIONS = "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_foreign_keys=on&x="

# These return nothing, but are declared to return a string, which the binding would read and free: with the
# declaration left as it is, whatever stands in the register is taken for an address.
for _returns_nothing in (gocode.Stop, gocode.SetForceActiveDeliveryReceipts):
    _returns_nothing.restype = None
# The library's list of functions whose answers are to be read and freed lacks this one: without it the answer
# stays a pointer, and reading it fails.
gocode.DecryptPollVote.errcheck = consume_bytes_struct


class PersonError(Exception):
    """The library refused what a person was asked to do."""


class Gate:
    """Keeps calls into the library apart from connects and stops.

    The library's exported functions use plain maps: a connect or stop writes them, every other call reads
    them first thing. Overlap ends the process. So connects and stops take turns, nothing else begins while
    one is under way, and before it begins every call had the time to be done with the maps.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._calls: set[asyncio.Future[Any]] = set()

    async def alone(self, work: Awaitable[_Result]) -> _Result:
        """Runs a connect or stop while nothing else is in the library's maps."""
        async with self._lock:
            if self._calls:
                await asyncio.wait(self._calls, timeout=_ENTER_SECONDS)
            return await work

    async def call(self, work: Awaitable[_Result]) -> _Result:
        """Runs any other call."""
        async with self._lock:
            task = asyncio.ensure_future(work)
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return await task


class Person:
    """One client.

    Args:
        number: The account's phone number.
        store: The file with the client's keys.
        proxy: The network's proxy, ``http://127.0.0.1:PORT``.
        gate: The process's one gate.
        emit: Reports events to the network.
    """

    def __init__(self, number: str, store: str, proxy: str, gate: Gate, emit: Emit) -> None:
        self._number = number
        self._store = store
        self._proxy = ProxySettings(proxy_address=proxy)
        self._gate = gate
        self._emit = emit
        self._client: NewAClient | None = None
        self._starting = asyncio.Lock()
        self._settled = asyncio.Event()
        self._online = asyncio.Event()
        self._failure = ""

    async def start(self) -> None:
        """Connects the client, pairing it first if it is new; does nothing when it is online.

        Raises:
            PersonError: It did not connect.
        """
        async with self._starting:
            if self._online.is_set():
                return
            await self.stop()
            # The library stops clients by id when an old object is collected: an id is never used twice.
            client = NewAClient(self._store + _STORE_OPTIONS, uuid=uuid4().hex)
            self._listen(client)
            self._client = client
            await self._gate.alone(self._connect(client))
            await self._gate.call(client.set_force_activate_delivery_receipts(True))

    async def stop(self) -> None:
        """Stops the client."""
        client, self._client = self._client, None
        self._online.clear()
        if client is not None:
            await self._gate.alone(client.stop())  # type: ignore[no-untyped-call] # the library's gap

    async def send(self, to: str, chat: str, content: dict[str, Any]) -> tuple[str, int]:
        """Sends a message.

        Args:
            to: The recipient's JID.
            chat: The same chat, as its members address it.
            content: See ``person_content.composed``.

        Returns:
            The message's id and its time (epoch milliseconds).

        Raises:
            PersonError: The library or the network refused.
        """
        client = await self._ready()
        if content["kind"] == "vote":
            vote = content["vote"]
            message = await self._call(client.build_poll_vote(poll_info(chat, vote), vote["options"]))
        else:
            message = composed(content, chat)
        sent = await self._call(client.send_message(jid_of(to), message))
        return sent.ID, sent.Timestamp * 1000

    async def mark_read(self, ids: list[str], chat: str, sender: str) -> None:
        """Sends a read receipt for messages of one sender in one chat.

        Raises:
            PersonError: The library or the network refused.
        """
        client = await self._ready()
        await self._call(
            client.mark_read(*ids, chat=jid_of(chat), sender=jid_of(sender), receipt=ReceiptType.READ)
        )

    async def act_on_group(self, action: str, details: dict[str, Any]) -> dict[str, object]:
        """Does something to a group; see ``person_groups.act``.

        Raises:
            PersonError: The library or the network refused.
        """
        return await act(await self._ready(), self._call, action, details)

    async def _call(self, work: Awaitable[_Result]) -> _Result:
        try:
            return await self._gate.call(work)
        except NeonizeError as error:
            raise PersonError(str(error)) from error

    async def watch(self, who: str) -> None:
        """Subscribes to somebody's presence.

        Raises:
            PersonError: The library or the network refused.
        """
        client = await self._ready()
        await self._call(client.subscribe_presence(jid_of(who)))

    async def show(self, state: str, to: str | None) -> None:
        """Shows a state; see ``person_presence.show``.

        Raises:
            PersonError: The library or the network refused.
        """
        client = await self._ready()
        await self._call(person_presence.show(client, state, None if to is None else jid_of(to)))

    async def _ready(self) -> NewAClient:
        if self._client is None or self._failure:
            await self.start()
        # The library reconnects by itself; a person who wants to write waits a little for that.
        try:
            async with asyncio.timeout(_RECONNECT_SECONDS):
                await self._online.wait()
        except TimeoutError as error:
            raise PersonError(f"{self._number} is not connected") from error
        if self._client is None:
            raise PersonError(f"{self._number} was stopped")
        return self._client

    async def _connect(self, client: NewAClient) -> None:
        self._settled.clear()
        self._failure = ""
        parked = await client.connect(self._proxy)
        settled = asyncio.ensure_future(self._settled.wait())
        done, _ = await asyncio.wait(
            (parked, settled), timeout=_CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if parked in done:
            settled.cancel()
            error = parked.exception()
            raise PersonError(f"the client ended at once: {error or 'no reason given'}")
        if settled not in done:
            settled.cancel()
            raise PersonError(f"the client did not connect within {_CONNECT_SECONDS} s")
        if self._failure:
            raise PersonError(self._failure)

    def _listen(self, client: NewAClient) -> None:
        async def on_qr(_client: NewAClient, code: bytes) -> None:
            self._emit({"event": "qr", "number": self._number, "qr": code.decode()})

        async def on_connected(_client: NewAClient, _event: events.Connected) -> None:
            self._online.set()
            self._settled.set()

        async def on_disconnected(_client: NewAClient, _event: events.Disconnected) -> None:
            self._online.clear()  # until the library has reconnected by itself

        async def on_logged_out(_client: NewAClient, _event: events.LoggedOut) -> None:
            self._lost("the device was unlinked")

        async def on_replaced(_client: NewAClient, _event: events.StreamReplaced) -> None:
            self._lost("another connection took the device over")

        async def on_message(_client: NewAClient, event: events.Message) -> None:
            if not event.Info.MessageSource.IsFromMe:
                try:
                    await self._hear(client, event)
                except Exception:  # noqa: BLE001 - the library drops what a handler raises
                    _log.exception("%s could not show a message", self._number)

        async def on_receipt(_client: NewAClient, event: events.Receipt) -> None:
            source = event.MessageSource
            self._emit(
                {
                    "event": "receipt",
                    "number": self._number,
                    "ids": list(event.MessageIDs),
                    "type": events.Receipt.ReceiptType.Name(event.Type).lower(),
                    "from": jid_text(source.Sender),
                    "chat": jid_text(source.Chat),
                    "timestamp": event.Timestamp * 1000,
                }
            )

        client.event.qr(on_qr)
        client.event(ConnectedEv)(on_connected)
        client.event(DisconnectedEv)(on_disconnected)
        client.event(LoggedOutEv)(on_logged_out)
        client.event(StreamReplacedEv)(on_replaced)
        client.event(MessageEv)(on_message)
        client.event(ReceiptEv)(on_receipt)
        person_presence.listen(client, self._number, self._emit)

    async def _hear(self, client: NewAClient, event: events.Message) -> None:
        heard = described(event, f"{self._number}@s.whatsapp.net")
        if heard is None or self._client is not client:
            return
        if heard["kind"] == "vote":
            try:
                vote = await self._call(client.decrypt_poll_vote(event))
                heard["vote"]["hashes"] = [option.hex() for option in vote.selectedOptions]
            except PersonError as error:
                heard["vote"]["error"] = str(error)
        self._emit({"event": "message", "number": self._number, **heard})

    def _lost(self, reason: str) -> None:
        _log.warning("%s is no longer connected: %s", self._number, reason)
        self._online.clear()
        self._failure = reason
        self._settled.set()
