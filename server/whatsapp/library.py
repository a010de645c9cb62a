"""neonize's client, held so that it can neither end the process nor lose an event.

The library itself is unmodified: this is a subclass that takes its calls through the gate
(`server.whatsapp.threads`), its events in order, and its login words, which it throws away otherwise.
"""

import asyncio
import ctypes
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from neonize._binder import ProxySettings, func_callback_bytes2, gocode
from neonize.aioze.client import NewAClient
from neonize.aioze.events import Event
from neonize.events import EVENT_TO_INT, INT_TO_EVENT
from neonize.exc import PairPhoneError
from neonize.proto.Neonize_pb2 import Device, PairPhoneParams, PairPhoneReturnFunction
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps
from neonize.utils.enum import ClientType, LogLevel

from server.whatsapp.device_store import store_name
from server.whatsapp.threads import WRITING_SECONDS, LibraryGate, uninterrupted

log = logging.getLogger(__name__)

# neonize binds this function as returning a string to read and to free; it returns nothing.
gocode.Stop.restype = None

# The library takes its own log level from this logger. Left alone it would format every stanza, message
# content included, and hand it to Python; warnings are all that anybody here wants.
logging.getLogger("neonize.utils.log").setLevel(logging.WARNING)

_LOG_LEVEL: Final = 5
_LOG_CALLBACK: Final = 9
"""Where a connect has them among its arguments."""
_ENTERED: Final = 0
"""The library's first event: it has entered its loop, and reads the maps no more by itself."""
STOP_SECONDS: Final = 10.0
"""How long a stopped session's thread may take to end before it is given up."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An event as the library serialised it, of a kind that may be too long to be read at once."""

    data: bytes


class _GatedCalls:
    """Stands where the library's client keeps its way into the native code."""

    def __init__(
        self, gate: LibraryGate, alive: Callable[[], bool], on_log: Callable[[int, int], None] | None
    ) -> None:
        self._gate = gate
        self._alive = alive
        self._log = None if on_log is None else func_callback_bytes2(on_log)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        function = getattr(gocode, name)
        if name == "Neonize":
            return lambda *args: asyncio.wrap_future(self._gate.park(partial(function, *self._logged(args))))
        if name == "Stop":
            return lambda *args: self._gate.write(partial(function, *args))
        return lambda *args: self._gate.call(partial(function, *args), self._alive)

    def _logged(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of a connect, with all of its log going where this client's owner wants it."""
        if self._log is None:
            return arguments
        given = list(arguments)
        given[_LOG_LEVEL], given[_LOG_CALLBACK] = LogLevel.DEBUG.level, self._log
        return tuple(given)


class _OrderedEvents(Event):
    """Hands events over in the session's own thread, one after the other.

    The library's own dispatch starts a task per event on the loop: unbounded, and deaf to exceptions.
    """

    def __init__(
        self, client: NewAClient, kinds: Iterable[type[Any]], take: Callable[[int, bytes], None]
    ) -> None:
        super().__init__(client)
        self._take = take
        # The library subscribes to what has a handler; `execute` below never calls it.
        self.list_func = dict.fromkeys((EVENT_TO_INT[kind] for kind in kinds), _never_called)

    def execute(self, uuid: int, binary: int, size: int, code: int) -> None:  # noqa: ARG002 - the library's
        self._take(code, ctypes.string_at(binary, size))


async def _never_called(_client: NewAClient, _message: object) -> None:
    raise AssertionError


class LibraryClient(NewAClient):
    """One incarnation of a client in the library's maps."""

    def __init__(
        self,
        gate: LibraryGate,
        device: Path,
        *,
        incarnation: str,
        device_name: str,
        events: Iterable[type[Any]],
        on_event: Callable[[object], None],
        unread: Iterable[type[Any]] = (),
        on_login_word: Callable[[str], None] | None = None,
        on_log: Callable[[int, int], None] | None = None,
    ) -> None:
        """Prepares a client; nothing enters the library before `open`.

        Args:
            gate: the process's gate.
            device: the folder with the device's keys.
            incarnation: an id never used before in this process: a late finalizer of an older
                client must not stop this one.
            device_name: what the phone calls the device.
            events: the library's event classes to be told of.
            on_event: takes each event, in order, in the session's own thread. It may block: that
                holds the session's events back, not the process.
            unread: those of the event classes that `on_event` gets as `Unread`.
            on_login_word: takes the words of the QR channel ("timeout", "passkey-request", ...).
            on_log: takes every line of the library's log (address and size of a `LogEntry`), in the thread
                that logs, which waits for it. None leaves warnings and errors to Python's logging.
        """
        super().__init__(
            store_name(device),
            props=DeviceProps(os=device_name, platformType=DeviceProps.DESKTOP),
            uuid=incarnation,
        )
        # Stopping happens in `close`, in its turn; a finalizer would do it anywhere.
        self._stop_finalizer.detach()
        self._gate = gate
        self._in_maps = False
        self._NewAClient__client = _GatedCalls(gate, lambda: self._in_maps, on_log)
        self._loop = asyncio.get_running_loop()
        self._entered: asyncio.Future[Device] = self._loop.create_future()
        self._running: asyncio.Task[None] | None = None
        self._on_event = on_event
        self._unread = frozenset(EVENT_TO_INT[kind] for kind in unread)
        self._on_login_word = on_login_word
        self.event = _OrderedEvents(self, events, self._take_event)

    async def open(self, proxy: str | None) -> Device:
        """Connects a paired device: returns when the library has entered its loop.

        Args:
            proxy: an HTTP proxy's address, or None.

        Returns:
            What the device's store knows of its account.

        Raises:
            ConnectionError: the library could not connect. `close` must still be called.
        """
        return await uninterrupted(self._open(proxy))

    async def _open(self, proxy: str | None) -> Device:
        async with self._gate.writing(WRITING_SECONDS):
            running = await self._begin(proxy)
            first: set[asyncio.Future[Any]] = {running, self._entered}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            error = running.exception()
            raise ConnectionError(str(error) if error else "the library ended without a reason")
        return self._entered.result()

    async def open_unpaired(self, proxy: str | None) -> None:
        """Begins pairing: codes follow. Only in a process of its own, which has no other client."""
        await self._begin(proxy)

    async def pairing_code(self, phone: str) -> str:
        """Asks for a code that the phone with this number can type; while pairing, after its first QR code.

        Raises:
            PairPhoneError: there is none; says why in the library's words.
        """
        # Not by the library's own method: WhatsApp checks the name, and takes only common browsers' ones.
        wanted = PairPhoneParams(
            phone=phone,
            showPushNotification=True,
            clientType=ClientType.CHROME.value,
            clientDisplayName="Chrome (Linux)",
        ).SerializeToString()
        answer = PairPhoneReturnFunction.FromString(
            await self._NewAClient__client.PairPhone(self.uuid, wanted, len(wanted))
        )
        if answer.Error:
            raise PairPhoneError(answer.Error)
        return str(answer.Code)

    async def _begin(self, proxy: str | None) -> "asyncio.Task[None]":
        settings = ProxySettings(proxy_address=proxy) if proxy is not None else None
        self._in_maps = True
        self._running = await self.connect(settings)
        return self._running

    async def ended(self) -> None:
        """Waits until the library has left its loop, by itself or by `close`."""
        if self._running is not None:
            await asyncio.wait({self._running})

    async def close(self) -> None:
        """Disconnects, frees what the library holds and ends the session's thread. Idempotent."""
        running, self._running = self._running, None
        if running is not None:
            await uninterrupted(self._close(running))

    async def _close(self, running: "asyncio.Task[None]") -> None:
        if self._entered.done():
            # Said goodbye to first, as a call among others: a dead connection does not answer it for five
            # seconds, and nobody else may enter the library during a stop (docs/decisions/0341).
            await self._NewAClient__client.Disconnect(self.uuid)
        async with self._gate.writing():
            self._in_maps = False
            await self._NewAClient__client.Stop(self.uuid)
        done, _ = await asyncio.wait({running}, timeout=STOP_SECONDS)
        if not done:
            log.error("the thread of %s did not end within %.0f s of its stop", self.uuid, STOP_SECONDS)
        elif (error := running.exception()) is not None:
            log.debug("%s ended with: %s", self.uuid, error)

    async def is_live(self) -> bool:
        """Whether the connection stands and is logged in.

        Raises:
            ClientGoneError: the client is closed.
        """
        uuid = self.uuid
        return await self._gate.call(
            lambda: bool(gocode.IsConnected(uuid)) and bool(gocode.IsLoggedIn(uuid)), lambda: self._in_maps
        )

    def _take_event(self, code: int, data: bytes) -> None:
        if code == _ENTERED:
            self._loop.call_soon_threadsafe(self._note_entered, Device.FromString(data))
            return
        try:
            self._on_event(Unread(data) if code in self._unread else INT_TO_EVENT[code].FromString(data))
        except Exception:
            # An exception would vanish in the native code and take the next event with it.
            log.exception("an event of kind %d of %s could not be taken", code, self.uuid)

    def _note_entered(self, device: Device) -> None:
        if not self._entered.done():
            self._entered.set_result(device)

    def _NewAClient__onLoginStatus(self, _uuid: int, word: int) -> None:  # noqa: N802 - the library's name
        if self._on_login_word is not None:
            self._on_login_word(ctypes.string_at(word).decode())
