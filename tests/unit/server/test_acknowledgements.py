"""Acknowledgements that wait, as the library's log shows them."""

import ctypes
import logging
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from neonize.proto.Neonize_pb2 import JID, LogEntry, MessageInfo, MessageSource
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, SenderKeyDistributionMessage

from server.whatsapp import acknowledgements
from server.whatsapp.acknowledgements import Acknowledgements, key_of, message_key, placeholder_key
from tests.support.waiting import until

RECEIPT = '<receipt id="M1" to="1:2@lid" type="inactive"/>'
UNREADABLE = '<ack class="message" id="M1" to="1@lid"/>'
IGNORED = "Ignoring message M1 from 1:2@lid in 3@g.us: received message with old counter"


class Library:
    """Logs as the library does, each line in a thread of its own."""

    def __init__(self, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(acknowledgements, "LOOK_SECONDS", 0.01)
        self._pool = pool
        self.repeated: list[tuple[str, str]] = []
        self.waiting = Acknowledgements(lambda *message: self.repeated.append(message))

    def logs(self, message: str, level: str = "DEBUG", name: str = "Client/Send") -> "Future[None]":
        entry = LogEntry(Message=message, Level=level, Name=name).SerializeToString()
        return self._pool.submit(self._log, entry)

    def _log(self, entry: bytes) -> None:
        buffer = ctypes.create_string_buffer(entry, len(entry))
        self.waiting.heard(ctypes.addressof(buffer), len(entry))

    def hands_over(self, key: str | None) -> None:
        with self.waiting.taking(key):
            pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    with ThreadPoolExecutor(8) as pool:
        library = Library(pool, monkeypatch)
        yield library
        library.waiting.close()


def waits(line: "Future[None]") -> bool:
    with pytest.raises(TimeoutError):
        line.result(timeout=0.1)
    return True


@pytest.mark.parametrize(
    "stanza",
    [
        RECEIPT,
        '<receipt id="M1" to="1@lid"/>',
        '<receipt id="M1" participant="1@lid" recipient="2@lid" to="3@g.us" type="sender"/>',
    ],
)
def test_what_acknowledges_a_message_waits_until_it_is_stored(library: Library, stanza: str) -> None:
    library.hands_over(message_key("M1"))
    line = library.logs(stanza)
    assert waits(line)
    library.waiting.settle([message_key("M2")])
    assert waits(line)
    library.waiting.settle([message_key("M1")])
    line.result(timeout=5)


def test_a_placeholder_waits_for_the_message_that_is_sent_in_its_place(library: Library) -> None:
    library.hands_over(placeholder_key("M1"))
    placeholders = [library.logs(UNREADABLE)]
    assert all(map(waits, placeholders))
    library.waiting.settle([placeholder_key("M1")])
    # as does what is sent in its place and cannot be decrypted either
    placeholders.append(library.logs(UNREADABLE))
    library.hands_over(message_key("M1"))
    message = library.logs(RECEIPT)
    assert waits(message)
    assert all(map(waits, placeholders))
    library.waiting.settle([message_key("M1")])
    for line in (message, *placeholders):
        line.result(timeout=5)


def test_a_message_whose_sender_is_away_is_not_waited_for_long(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledgements, "ANSWER_SECONDS", 0.3)
    library.hands_over(placeholder_key("M1"))
    placeholders = [library.logs(UNREADABLE), library.logs(UNREADABLE)]
    assert all(map(waits, placeholders))
    library.waiting.settle([placeholder_key("M1")])
    for line in placeholders:
        line.result(timeout=5)
    # it is stored like any other when it comes
    library.hands_over(message_key("M1"))
    message = library.logs(RECEIPT)
    assert waits(message)
    library.waiting.settle([message_key("M1")])
    message.result(timeout=5)


def test_what_is_stored_before_waits_for_nothing(library: Library) -> None:
    library.hands_over(message_key("M1"))
    library.waiting.settle([message_key("M1")])
    library.logs(RECEIPT).result(timeout=5)


def test_the_same_acknowledged_twice_goes_out_twice(library: Library) -> None:
    library.hands_over(message_key("M1"))
    lines = [library.logs(RECEIPT), library.logs(RECEIPT)]
    assert all(map(waits, lines))
    library.waiting.settle([message_key("M1")])
    for line in lines:
        line.result(timeout=5)


def test_a_receipt_is_known_by_who_sent_it_and_what_it_says(library: Library) -> None:
    source = MessageSource(Sender=JID(User="1", Device=2, Server="lid"))
    read = ReceiptEvent(MessageSource=source, MessageIDs=["M1", "M2"], Type=ReceiptEvent.READ)
    key = key_of(read)
    assert key is not None
    library.hands_over(key)
    line = library.logs('<ack class="receipt" id="M1" to="1:2@lid" type="read"/>')
    assert waits(line)
    library.waiting.settle([key])
    line.result(timeout=5)


@pytest.mark.parametrize(
    "line",
    [
        ('<receipt id="M1" to="1@lid" type="read"/>', "DEBUG", "Client/Send"),
        ('<receipt id="M1" to="1@lid" type="retry"><retry/></receipt>', "DEBUG", "Client/Send"),
        ('<ack class="message" error="487" id="M1" to="1@lid"/>', "DEBUG", "Client/Send"),
        ('<ack class="receipt" id="M1" to="1@lid" type="retry"/>', "DEBUG", "Client/Send"),
        ('<ack class="notification" id="M1" to="1@lid"/>', "DEBUG", "Client/Send"),
        ('<receipt from="1@lid" id="M1"/>', "DEBUG", "Client/Recv"),
        ('<message id="M1" to="1@lid"/>', "DEBUG", "Client/Send"),
        ("Decrypting message from 1@lid", "DEBUG", "Client"),
    ],
)
def test_nothing_else_waits(library: Library, line: tuple[str, str, str]) -> None:
    library.hands_over(message_key("M1"))
    library.logs(*line).result(timeout=5)


def test_what_has_no_event_goes_out_when_none_can_come(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledgements, "IDLE_SECONDS", 3600.0)
    line = library.logs(RECEIPT)
    # given events behind it, fewer than the library's queue holds
    for number in range(acknowledgements.QUEUE):
        library.hands_over(message_key(f"other {number}"))
    assert waits(line)
    # when one comes that must have been behind it
    library.hands_over(None)
    line.result(timeout=5)


def test_what_has_no_event_goes_out_when_the_library_is_idle(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledgements, "IDLE_SECONDS", 0.2)
    entered, may_leave = threading.Event(), threading.Event()

    def hold() -> None:
        with library.waiting.taking(message_key("another")):
            entered.set()
            may_leave.wait(10)

    busy = threading.Thread(target=hold)
    busy.start()
    assert entered.wait(5)
    line = library.logs(RECEIPT)
    # given an event that is being taken, others may stand behind it
    with pytest.raises(TimeoutError):
        line.result(timeout=0.5)
    may_leave.set()
    busy.join()
    line.result(timeout=5)


def test_a_message_that_comes_again_is_told_and_waits_for_the_answer(library: Library) -> None:
    library.logs(IGNORED, "WARN", "Client").result(timeout=5)
    line = library.logs(RECEIPT)
    assert waits(line)
    assert library.repeated == [("M1", "1:2@lid in 3@g.us")]
    # and once more before it was looked for
    library.logs(IGNORED, "WARN", "Client").result(timeout=5)
    again = library.logs(RECEIPT)
    assert waits(again)
    assert len(library.repeated) == 1
    library.waiting.settle([message_key("M1")])
    line.result(timeout=5)
    again.result(timeout=5)


def test_a_message_that_comes_again_before_its_event_does_is_not_told(library: Library) -> None:
    first = library.logs(RECEIPT)
    assert waits(first)
    library.logs(IGNORED, "WARN", "Client").result(timeout=5)
    again = library.logs(RECEIPT)
    assert waits(again)
    library.hands_over(message_key("M1"))
    library.waiting.settle([message_key("M1")])
    first.result(timeout=5)
    again.result(timeout=5)
    assert library.repeated == []


def test_a_message_that_comes_again_while_it_is_stored_is_not_told(library: Library) -> None:
    library.hands_over(message_key("M1"))
    library.logs(IGNORED, "WARN", "Client").result(timeout=5)
    line = library.logs(RECEIPT)
    assert waits(line)
    library.waiting.settle([message_key("M1")])
    line.result(timeout=5)
    assert library.repeated == []


def test_a_close_lets_everything_go(library: Library) -> None:
    library.hands_over(message_key("M1"))
    line = library.logs(RECEIPT)
    assert waits(line)
    library.waiting.close()
    line.result(timeout=5)
    library.logs(RECEIPT).result(timeout=5)


async def test_no_more_wait_than_threads_may(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgements, "_places", deque([1]))
    for message_id in ("M1", "M2"):
        library.hands_over(message_key(message_id))
    first = library.logs(RECEIPT)
    await until(lambda: not acknowledgements._places, "the only place is taken")  # noqa: SLF001 - what is bounded
    library.logs(RECEIPT.replace("M1", "M2")).result(timeout=5)
    assert waits(first)
    library.waiting.settle([message_key("M1")])
    first.result(timeout=5)
    assert len(acknowledgements._places) == 1  # noqa: SLF001 - what is bounded


def test_warnings_reach_the_log_and_nothing_below(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    library.logs("Failed to do so", "WARN", "Client/Socket").result(timeout=5)
    library.logs("Cannot do so", "ERROR", "Database").result(timeout=5)
    library.logs("Did so", "INFO", "Client").result(timeout=5)
    library.logs("Doing so", "DEBUG", "Client").result(timeout=5)
    mine = [record for record in caplog.records if record.name.startswith("whatsmeow.")]
    assert [(record.name, record.levelname, record.getMessage()) for record in mine] == [
        ("whatsmeow.Client.Socket", "WARNING", "Failed to do so"),
        ("whatsmeow.Database", "ERROR", "Cannot do so"),
    ]


def test_a_group_s_keys_are_not_the_message_that_follows_them() -> None:
    keys = Message(senderKeyDistributionMessage=SenderKeyDistributionMessage(groupID="3@g.us"))
    both = Message(senderKeyDistributionMessage=keys.senderKeyDistributionMessage, conversation="hi")
    source = MessageSource(Sender=JID(User="1", Server="lid"))
    info = MessageInfo(MessageSource=source, ID="M1")
    assert key_of(MessageEvent(Info=info, Message=keys)) is None
    assert key_of(MessageEvent(Info=info, Message=both)) == message_key("M1")
