from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from sandbox.mailbox import IN_FLIGHT, Mailbox, StanzaKey
from sandbox.state import State


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    opened = State(tmp_path / "network.db", lambda: None)
    yield opened
    await opened.close()


def key(stanza_id: str, tag: str = "message", kind: str = "", sender: str = "1@lid") -> StanzaKey:
    return StanzaKey(tag, stanza_id, kind, sender)


async def kept(state: State) -> list[bytes]:
    return [stanza for (stanza,) in await state.read("SELECT stanza FROM mail ORDER BY seq", ())]


async def test_a_stanza_stays_until_it_is_settled(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    sent: list[bytes] = []
    mailbox.open(lambda _tag, stanza: sent.append(stanza))
    mailbox.put(key("A"), b"a")
    mailbox.put(key("B"), b"b")
    assert sent == [b"a", b"b"]
    assert await kept(state) == [b"a", b"b"]
    assert mailbox.settle(key("A"))
    assert not mailbox.settle(key("A"))
    assert await kept(state) == [b"b"]
    assert len(mailbox) == 1


async def test_the_key_is_all_of_tag_id_type_and_sender(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    keys = [key("A"), key("A", sender="2@lid"), key("A", "receipt"), key("A", "receipt", "read")]
    for number, each in enumerate(keys):
        mailbox.put(each, bytes([number]))
    assert len(mailbox) == 4
    mailbox.settle(keys[2])
    assert await kept(state) == [b"\0", b"\1", b"\3"]


async def test_what_was_not_settled_is_sent_again_in_order(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    mailbox.open(lambda _tag, _stanza: None)
    for name in ("A", "B", "C"):
        mailbox.put(key(name), name.encode())
    mailbox.settle(key("B"))
    mailbox.shut()
    mailbox.put(key("D"), b"D")
    sent: list[bytes] = []
    mailbox.open(lambda _tag, stanza: sent.append(stanza))
    assert sent == [b"A", b"C", b"D"]


async def test_a_stanza_sent_anew_takes_the_place_of_the_old_one(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    for body in (b"old", b"new"):
        mailbox.put(key("A"), body)
    sent: list[bytes] = []
    mailbox.open(lambda _tag, stanza: sent.append(stanza))
    assert sent == [b"new"]
    assert await kept(state) == [b"new"]


async def test_no_more_is_in_flight_than_the_client_can_queue(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    sent: list[bytes] = []
    mailbox.open(lambda _tag, stanza: sent.append(stanza))
    for number in range(IN_FLIGHT + 5):
        mailbox.put(key(str(number)), b"")
    assert len(sent) == IN_FLIGHT
    mailbox.settle(key("0"))
    assert len(sent) == IN_FLIGHT + 1


async def test_shutting_while_sending_loses_nothing(state: State) -> None:
    mailbox = Mailbox(state, "49170", 1)
    for name in ("A", "B"):
        mailbox.put(key(name), name.encode())
    mailbox.open(lambda _tag, _stanza: mailbox.shut())
    sent: list[bytes] = []
    mailbox.open(lambda _tag, stanza: sent.append(stanza))
    assert sent == [b"A", b"B"]
