"""Holds back what tells WhatsApp that something was received, until it is stored.

The library acknowledges a message when it has put it into a queue of its own; whoever dies with that
queue has lost what is in it, and WhatsApp does not deliver it again. It offers no other moment. But it logs
each stanza that it is about to send, and waits until that is logged, each acknowledgement in a thread of its
own: the log is where they wait here (docs/decisions/0355).

A message that was not acknowledged is delivered again. The library can decrypt it only once; it says so in
the log, throws it away and acknowledges it. That acknowledgement waits too, for somebody who looks whether
the message is stored (`server.whatsapp.port.Repeated`).
"""

import ctypes
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from neonize.proto.Neonize_pb2 import JID, LogEntry
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.Neonize_pb2 import UndecryptableMessage as UndecryptableEvent

log = logging.getLogger(__name__)

HELD_AT_MOST: Final = 2000
"""Acknowledgements that wait at the same time in a process: each takes a thread, of which Go allows itself
10,000. Beyond, they go out early; only a database that is away for long makes that many."""
QUEUE: Final = 102
"""Events that may lie between the library's handler and this process: its queue, one in hand, one on its
way."""
IDLE_SECONDS: Final = 1.0
"""After so long without an event in the library's hand its queue is empty."""
LOOK_SECONDS: Final = 0.2
"""Between two looks whether the event of an acknowledgement will come at all."""
REMEMBERED: Final = 10_000
"""Things that were stored before their acknowledgement was ready."""

Key = str
"""What is acknowledged: a message by its id; a receipt by its id, its type and who sent it."""

_SENT: Final = b"Client/Send"
"""How a log entry ends that shows a stanza about to be sent."""
_DEBUG: Final = b"\x12\x05DEBUG"
"""The level, as a field of a log entry."""
_ATTRIBUTE: Final = re.compile(r' (\w+)="([^"]*)"')
_IGNORED: Final = re.compile(r"Ignoring message (\S+) from (.+?): ")
_MESSAGE_RECEIPTS: Final = frozenset({"", "inactive", "sender"})
"""Types of the receipts by which the library acknowledges messages."""
_RECEIPTS: Final = {ReceiptEvent.DELIVERED: "", ReceiptEvent.READ: "read", ReceiptEvent.PLAYED: "played"}
"""Types of the receipts that are stored, by the library's number."""
_CARRIES_KEYS: Final = "senderKeyDistributionMessage"

_places = threading.BoundedSemaphore(HELD_AT_MOST)


def message_key(message_id: str) -> Key:
    """The key of a message."""
    return f"message {message_id}"


def key_of(event: object) -> Key | None:
    """The key of one of the library's events; None where it is not what an acknowledgement is for."""
    if isinstance(event, MessageEvent):
        # A group's keys come before the message that they belong to, under its id: that one counts.
        if [field.name for field, _ in event.Message.ListFields()] == [_CARRIES_KEYS]:
            return None
        return message_key(event.Info.ID)
    if isinstance(event, UndecryptableEvent):
        return message_key(event.Info.ID)
    if isinstance(event, ReceiptEvent) and event.Type in _RECEIPTS and event.MessageIDs:
        return _receipt_key(event.MessageIDs[0], _RECEIPTS[event.Type], _text(event.MessageSource.Sender))
    return None


class Acknowledgements:
    """Those of one client. Everything here is called from any thread."""

    def __init__(self, on_repeated: Callable[[str, str], None]) -> None:
        """Holds back from the beginning, until `close`.

        Args:
            on_repeated: takes id and source (`<sender>` or `<sender> in <chat>`) of a message that came again
                and could not be decrypted again, and of which this process knows nothing.
        """
        self._on_repeated = on_repeated
        self._lock = threading.Lock()
        self._seen: set[Key] = set()
        self._settled: OrderedDict[Key, None] = OrderedDict()
        self._waiting: dict[Key, threading.Event] = {}
        self._ignored: dict[Key, tuple[str, str]] = {}
        self._taken = 0
        self._idle_since: float | None = time.monotonic()
        self._closed = False

    @contextmanager
    def taking(self, key: Key | None) -> Iterator[None]:
        """Around the taking of one of the library's events, in the session's own thread.

        Args:
            key: what is acknowledged once it is stored.
        """
        with self._lock:
            self._taken += 1
            self._idle_since = None
            if key is not None:
                self._seen.add(key)
        try:
            yield
        finally:
            self._idle_since = time.monotonic()

    def settle(self, keys: Iterable[Key]) -> None:
        """Lets acknowledgements out: what they are for is stored, or need not be."""
        with self._lock:
            for key in keys:
                self._seen.discard(key)
                self._ignored.pop(key, None)
                waiting = self._waiting.pop(key, None)
                if waiting is not None:
                    waiting.set()
                self._settled[key] = None
            while len(self._settled) > REMEMBERED:
                self._settled.popitem(last=False)

    def close(self) -> None:
        """Lets everything out. The connection must be closed already, so that nothing gets out by it."""
        with self._lock:
            self._closed = True
            for waiting in self._waiting.values():
                waiting.set()
            self._waiting.clear()

    def heard(self, binary: int, size: int) -> None:
        """Takes a line of the library's log, in whichever thread logs: that thread waits as long as this does."""
        try:
            self._hear(ctypes.string_at(binary, size))
        except Exception:
            # An exception would vanish in the native code.
            log.exception("a line of the library's log could not be taken")

    def _hear(self, entry: bytes) -> None:
        if entry.endswith(_SENT):
            key = _acknowledged(entry)
            if key is not None:
                self._hold(key)
        elif _DEBUG not in entry[-48:]:
            line = LogEntry.FromString(entry)
            ignored = _IGNORED.match(line.Message)
            if ignored is None:
                _pass_on(line)
                return
            with self._lock:
                self._ignored[message_key(ignored[1])] = (ignored[1], ignored[2])

    def _hold(self, key: Key) -> None:
        with self._lock:
            if self._closed or key in self._settled:
                self._ignored.pop(key, None)
                return
            waiting = self._waiting.setdefault(key, threading.Event())
            before = self._taken
        if not _places.acquire(blocking=False):
            log.warning("%d acknowledgements wait for the database: one more goes out early", HELD_AT_MOST)
            return
        try:
            self._wait(key, waiting, before)
        finally:
            _places.release()

    def _wait(self, key: Key, waiting: threading.Event, before: int) -> None:
        told = False
        while not waiting.wait(LOOK_SECONDS):
            with self._lock:
                if told or key in self._seen or not self._has_passed(before):
                    continue
                repeated = self._ignored.get(key)
                if repeated is None:
                    # It has no event: nothing in it is for this process.
                    self._waiting.pop(key, None)
                    return
            self._on_repeated(*repeated)
            told = True

    def _has_passed(self, before: int) -> bool:
        """Whether an event that was in the library's queue when so many were taken would have been taken."""
        if self._taken - before > QUEUE:
            return True
        return self._idle_since is not None and time.monotonic() - self._idle_since > IDLE_SECONDS


def _pass_on(line: LogEntry) -> None:
    """Gives a line of the library's log to Python's logging, warnings and errors alone."""
    level = {"WARN": logging.WARNING, "ERROR": logging.ERROR}.get(line.Level)
    if level is not None:
        logging.getLogger(f"whatsmeow.{line.Name.replace('/', '.')}").log(level, "%s", line.Message)


def _acknowledged(entry: bytes) -> Key | None:
    """What a stanza acknowledges that is about to be sent."""
    start = entry.find(b"<", 0, 8)
    if not entry.startswith((b"<receipt ", b"<ack "), start):
        return None
    stanza = LogEntry.FromString(entry).Message
    attributes = dict(_ATTRIBUTE.findall(stanza.partition(">")[0]))
    kind = attributes.get("type", "")
    message_id = attributes.get("id", "")
    if stanza.startswith("<receipt "):
        return message_key(message_id) if kind in _MESSAGE_RECEIPTS else None
    if "error" in attributes:
        # The library could not make anything of it: no event follows.
        return None
    if attributes.get("class") == "message":
        return message_key(message_id)
    if attributes.get("class") == "receipt" and kind in _RECEIPTS.values():
        return _receipt_key(message_id, kind, attributes.get("participant") or attributes.get("to", ""))
    return None


def _receipt_key(message_id: str, kind: str, sender: str) -> Key:
    return f"receipt {message_id} {kind} {sender}"


def _text(jid: JID) -> str:
    """A JID as the library writes it into its log."""
    device = f":{jid.Device}" if jid.Device else ""
    return f"{jid.User}{device}@{jid.Server}"
