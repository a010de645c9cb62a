"""Holds back what tells WhatsApp that something was received, until it is stored.

The library acknowledges a message when it has put it into a queue of its own; whoever dies with that
queue has lost what is in it, and WhatsApp does not deliver it again. It offers no other moment. But it logs
each stanza that it is about to send, and waits until that is logged, each acknowledgement in a thread of its
own: the log is where they wait here (docs/decisions/0355).

A message that was not acknowledged is delivered again. The library can decrypt it only once; it says so in
the log, throws it away and acknowledges it. That acknowledgement waits too, for somebody who looks whether
the message is stored (`server.whatsapp.port.Repeated`).

A message that could not be decrypted is asked for again, and comes under the same id: WhatsApp would take
the acknowledgement of the first for one of the second. So the first waits until the second is stored as
well, or is not to be expected soon.
"""

import ctypes
import logging
import re
import threading
import time
from collections import OrderedDict, deque
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
LOOK_SECONDS: Final = 0.1
"""Between two looks whether the event of an acknowledgement will come at all."""
ANSWER_SECONDS: Final = 5.0
"""How long what could not be decrypted waits for what is sent in its place. A device that is there sends it
within a second; what comes later finds the first acknowledged long ago."""
REMEMBERED: Final = 10_000
"""Things that were stored before their acknowledgement was ready."""

Key = str
"""What is acknowledged: a message by its id; a receipt by its id, its type and who sent it."""

_HEAD: Final = 16
"""Bytes of a log entry that hold the beginning of its text."""
_TAIL: Final = 48
"""Bytes of a log entry that hold what follows its text: level and name."""
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
_PLACEHOLDER: Final = "placeholder "
_CARRIES_KEYS: Final = "senderKeyDistributionMessage"

_places = deque(range(HELD_AT_MOST))
"""Taken and given back by acknowledgements that wait; as a queue it needs no lock."""
_threads = threading.local()


def message_key(message_id: str) -> Key:
    """The key of a message."""
    return f"message {message_id}"


def placeholder_key(message_id: str) -> Key:
    """The key of a message that could not be decrypted: not that of the one which is sent in its place."""
    return _PLACEHOLDER + message_id


def key_of(event: object) -> Key | None:
    """The key of one of the library's events; None where it is not what an acknowledgement is for."""
    if isinstance(event, MessageEvent):
        # A group's keys come before the message that they belong to, under its id: that one counts.
        if event.Message.HasField(_CARRIES_KEYS) and len(event.Message.ListFields()) == 1:
            return None
        return message_key(event.Info.ID)
    if isinstance(event, UndecryptableEvent):
        return placeholder_key(event.Info.ID)
    if isinstance(event, ReceiptEvent) and event.Type in _RECEIPTS and event.MessageIDs:
        return _receipt_key(event.MessageIDs[0], _RECEIPTS[event.Type], _text(event.MessageSource.Sender))
    return None


class _Waiting:
    """Acknowledgements of one thing that wait.

    Attributes:
        lock: taken while they wait. A lock alone costs a fraction of what an event does.
        count: how many there were.
    """

    __slots__ = ("count", "lock")

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()
        self.lock.acquire()


class _Ignored:
    """A message that the library did not decrypt because it had done so before.

    Attributes:
        message_id: its id.
        source: who sent it, and where to.
        times: how often it came so.
        told: whether somebody looks whether it is stored.
    """

    __slots__ = ("message_id", "source", "times", "told")

    def __init__(self, message_id: str, source: str) -> None:
        self.message_id, self.source = message_id, source
        self.times = 0
        self.told = False


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
        self._waiting: dict[Key, _Waiting] = {}
        self._answers: dict[Key, _Waiting] = {}
        self._ignored: dict[Key, _Ignored] = {}
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
                for places in (self._waiting, self._answers):
                    waiting = places.pop(key, None)
                    if waiting is not None:
                        waiting.lock.release()
                self._settled[key] = None
            while len(self._settled) > REMEMBERED:
                self._settled.popitem(last=False)

    def close(self) -> None:
        """Lets everything out. The connection must be closed already, so that nothing gets out by it."""
        with self._lock:
            self._closed = True
            for places in (self._waiting, self._answers):
                for waiting in places.values():
                    waiting.lock.release()
                places.clear()

    def heard(self, binary: int, size: int) -> None:
        """Takes a line of the library's log (a `LogEntry`), in the thread that logs, which waits for it."""
        if not hasattr(_threads, "kept"):
            # Python makes a state for a foreign thread that calls it, and throws it away when it leaves; that
            # costs more than all the rest here. Taken once more, it stays as long as its thread.
            _threads.kept = True
            ctypes.pythonapi.PyGILState_Ensure()
        try:
            self._hear(binary, size)
        except Exception:
            # An exception would vanish in the native code.
            log.exception("a line of the library's log could not be taken")

    def _hear(self, binary: int, size: int) -> None:
        # Looked at before they are copied: most lines are stanzas that acknowledge nothing.
        head = ctypes.string_at(binary, min(size, _HEAD))
        stanza = head.find(b"<", 0, 5)
        if stanza >= 0:
            if head.startswith((b"<receipt ", b"<ack "), stanza):
                entry = ctypes.string_at(binary, size)
                key = _acknowledged(entry) if entry.endswith(_SENT) else None
                if key is not None:
                    self._hold(key)
            return
        tail = min(size, _TAIL)
        if _DEBUG not in ctypes.string_at(binary + size - tail, tail):
            self._note(LogEntry.FromString(ctypes.string_at(binary, size)))

    def _note(self, line: LogEntry) -> None:
        ignored = _IGNORED.match(line.Message)
        if ignored is None:
            _pass_on(line)
            return
        key = message_key(ignored[1])
        with self._lock:
            if key not in self._settled:
                self._ignored.setdefault(key, _Ignored(ignored[1], ignored[2])).times += 1

    def _hold(self, key: Key) -> None:
        answer = message_key(key.removeprefix(_PLACEHOLDER)) if key.startswith(_PLACEHOLDER) else key
        with self._lock:
            if self._closed or answer in self._settled:
                return
        try:
            place = _places.pop()
        except IndexError:
            log.warning("%d acknowledgements wait for the database: one more is sent early", HELD_AT_MOST)
            return
        try:
            if self._await_stored(key) and answer != key:
                self._await_answer(answer)
        finally:
            _places.append(place)

    def _await_stored(self, key: Key) -> bool:
        """Returns whether there was something to store."""
        with self._lock:
            if self._closed or key in self._settled:
                return True
            waiting = self._waiting.setdefault(key, _Waiting())
            waiting.count += 1
            before = self._taken
        while not waiting.lock.acquire(timeout=LOOK_SECONDS):
            with self._lock:
                repeated = self._ignored.get(key)
                if key in self._seen:
                    continue
                if repeated is None:
                    if not self._has_passed(before):
                        continue
                    # It has no event: nothing in it is for this process.
                    self._waiting.pop(key, None)
                    return False
                if repeated.told or waiting.count > repeated.times:
                    continue  # somebody looks, or this process has decrypted it and its event is on its way
                repeated.told = True
            self._on_repeated(repeated.message_id, repeated.source)
        # The same may be acknowledged twice.
        waiting.lock.release()
        return True

    def _await_answer(self, key: Key) -> None:
        with self._lock:
            if self._closed or key in self._settled:
                return
            waiting = self._answers.setdefault(key, _Waiting())
        if waiting.lock.acquire(timeout=ANSWER_SECONDS):
            waiting.lock.release()
            # Its own acknowledgement, which alone tells its sender that it arrived, goes first.
            time.sleep(LOOK_SECONDS)
            return
        with self._lock:
            if self._answers.get(key) is waiting:
                del self._answers[key]

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
        return placeholder_key(message_id)
    if attributes.get("class") == "receipt" and kind in _RECEIPTS.values():
        return _receipt_key(message_id, kind, attributes.get("participant") or attributes.get("to", ""))
    return None


def _receipt_key(message_id: str, kind: str, sender: str) -> Key:
    return f"receipt {message_id} {kind} {sender}"


def _text(jid: JID) -> str:
    """A JID as the library writes it into its log."""
    device = f":{jid.Device}" if jid.Device else ""
    return f"{jid.User}{device}@{jid.Server}"
