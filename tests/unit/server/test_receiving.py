"""What a session receives, into the stored copy."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from server.chats.ingest import Ingest
from server.store.arrival_records import Arrival, NewMessage
from server.store.conversations import ConversationRepository
from server.store.failures import DatabaseAwayError
from server.store.records import Session
from server.whatsapp.incoming import Received
from server.whatsapp.jid import Jid
from server.whatsapp.memory import MemoryNetwork
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

NUMBER = "628110000001"
ADA = "628120000001"
BOB = "628120000002"


async def test_a_text_is_stored_under_the_phone_number_with_its_names(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.account(ADA, name="Ada")
    message_id = network.write(ADA, NUMBER, "שלום 😀")
    assert await node.bodies(session, ADA, 1) == ["שלום 😀"]
    (message,) = await node.stored(session, ADA)
    assert message.wa_message_id == message_id
    assert (message.from_me, message.type, message.ack_level) == (False, "text", 0)
    assert message.sender_jid == str(network.account(ADA).jid)
    assert message.timestamp % 1000 == 0
    chat = await node.conversations.find_chat(session.id, str(network.account(ADA).jid))
    assert chat is not None
    assert (chat.name, chat.unread_count) == ("Ada", 1)


async def test_texts_are_stored_in_the_order_in_which_they_came(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    texts = [f"text {n}" for n in range(100)]
    for text in texts:
        network.write(ADA, NUMBER, text)
    assert await node.bodies(session, ADA, 100) == texts


async def test_what_the_account_sends_from_its_phone_is_stored_as_sent(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.write(NUMBER, ADA, "from my phone")
    assert await node.bodies(session, ADA, 1) == ["from my phone"]
    (message,) = await node.stored(session, ADA)
    assert (message.from_me, message.sender_jid, message.ack_level) == (True, session.wa_jid, 1)
    chat = await node.conversations.find_chat(session.id, str(network.account(ADA).jid))
    assert chat is not None
    assert (chat.name, chat.unread_count) == ("", 0)


async def test_a_person_is_one_chat_by_whichever_address_they_come(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a person of whom the account has told both addresses, from its phone
    session = await node.working(NUMBER)
    network.write(NUMBER, ADA, "hi")
    await node.bodies(session, ADA, 1)
    # when their answer comes with the LID alone
    line = network.clients[-1]
    ada = network.account(ADA)
    line.tell(a_received(ada.lid))
    # then both stand in one chat
    assert await node.bodies(session, ADA, 2) == ["hi", "hello"]
    (chat,) = await node.conversations.page_chats(session.id, after=None, limit=10)
    assert chat.jid == str(ada.jid)


async def test_addresses_are_known_after_a_restart(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network) as first:
        session = await first.working(NUMBER)
        network.write(ADA, NUMBER, "hi")
        await first.bodies(session, ADA, 1)
    async with memory_node(tmp_path, network) as second:
        await until(lambda: not network.clients[-1].is_stopped, "connected")
        network.clients[-1].tell(a_received(network.account(ADA).lid))
        assert await second.bodies(session, ADA, 2) == ["hi", "hello"]


def a_received(sender: Jid, message_id: str = "ALONE") -> Received:
    """A message that comes with one address only."""
    return Received(
        id=message_id,
        chat=sender,
        chat_alternative=None,
        sender=sender,
        sender_alternative=None,
        from_me=False,
        sender_name="",
        type="text",
        body="hello",
        timestamp=4_000_000_000_000,
        content=b"",
    )


async def test_a_message_that_comes_twice_is_stored_once(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    line, sender = network.clients[-1], network.account(ADA).jid
    for message_id in ("M1", "M1", "M2", "M1"):
        line.tell(a_received(sender, message_id))
    await node.bodies(session, ADA, 2)
    network.write(ADA, NUMBER, "last")
    assert len(await node.bodies(session, ADA, 3)) == 3


async def test_messages_of_the_offline_queue_come_after_the_connection(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    for number in range(20):
        network.write(ADA, NUMBER, f"text {number}")
    await node.sessions.start(session)
    assert await node.bodies(session, ADA, 20) == [f"text {number}" for number in range(20)]


class SlowStore(ConversationRepository):
    """A store that does not answer before it may."""

    def hold(self) -> None:
        self.may_store = asyncio.Event()
        self.asked = 0

    async def store(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        self.asked += 1
        await self.may_store.wait()
        return await super().store(arrivals)


@pytest.mark.parametrize("end", ["stop", "restart", "suspend"])
async def test_what_had_arrived_is_stored_though_the_session_is_stopped_meanwhile(
    tmp_path: Path, network: MemoryNetwork, end: str
) -> None:
    """WhatsApp has been told that they were received: it does not deliver them again."""
    async with memory_node(tmp_path, network) as node:
        # given messages, of which some wait for a slow database and some for their turn
        session = await node.working(NUMBER)
        slow = SlowStore(node.database)
        slow.hold()
        runner_ingest = Ingest(slow, node.addresses)
        node.use_ingest(session, runner_ingest)
        network.write(ADA, NUMBER, "first")
        await until(lambda: slow.asked == 1, "the first one is being stored")
        network.write(ADA, NUMBER, "second")
        network.write(BOB, NUMBER, "third")
        # when the session is stopped
        if end == "suspend":
            stopping = asyncio.create_task(node.sessions.close())
        else:
            stopping = asyncio.create_task(getattr(node.sessions, end)(session))
        await until(lambda: network.stops == 1, "the client is being stopped")
        slow.may_store.set()
        async with asyncio.timeout(10):
            await stopping
        # then all of them are there
        assert await node.bodies(session, ADA, 2) == ["first", "second"]
        assert await node.bodies(session, BOB, 1) == ["third"]
        chat = await node.conversations.find_chat(session.id, str(network.account(ADA).jid))
        assert chat is not None
        assert chat.unread_count == 2


async def test_a_database_that_is_away_keeps_no_session_from_stopping(
    tmp_path: Path, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.sessions.inbox.DRAIN_SECONDS", 0.02)
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        slow = SlowStore(node.database)
        slow.hold()
        node.use_ingest(session, Ingest(slow, node.addresses))
        network.write(ADA, NUMBER, "secret text")
        await until(lambda: slow.asked == 1, "it is being stored")
        async with asyncio.timeout(10):
            await node.sessions.stop(session)
        assert "1 events" in caplog.text
        assert "secret text" not in caplog.text


async def test_a_store_that_fails_is_tried_until_it_works(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.chats.ingest.RETRY_SECONDS", 0.005)
    session = await node.working(NUMBER)
    failing = FailingStore(node.database)
    node.use_ingest(session, Ingest(failing, node.addresses))
    network.write(ADA, NUMBER, "hello")
    assert await node.bodies(session, ADA, 1) == ["hello"]
    assert failing.failures == 0


class FailingStore(ConversationRepository):
    """A store that fails three times."""

    failures = 3

    async def store(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        return await super().store(arrivals)


async def test_an_address_is_learned_although_its_first_storing_was_cancelled(node: MemoryNode) -> None:
    # given a message that teaches an address, whose storing is cut off
    session = await node.create()
    slow = SlowStore(node.database)
    slow.hold()
    lid, phone = Jid("7", "lid"), Jid("628120000009", "s.whatsapp.net")
    first = replace(a_received(lid), sender_alternative=phone, chat_alternative=phone)
    ingest = Ingest(slow, node.addresses)
    storing = asyncio.ensure_future(ingest(session, [first]))
    await until(lambda: slow.asked == 1, "it is being stored")
    storing.cancel()
    await asyncio.wait({storing})
    # when it is stored after all
    slow.may_store.set()
    await ingest(session, [first])
    # then the address is in the database, not only in memory
    assert await node.conversations.phone_jid(session.id, str(lid)) == str(phone)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for the database, shortened."""
    monkeypatch.setattr("server.chats.ingest.RETRY_SECONDS", 0.001)


class PickyStore(ConversationRepository):
    """A store that takes every message but some, for ever or for a while."""

    refuses = frozenset[str]()
    away = 0

    async def store(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        if self.away:
            self.away -= 1
            raise DatabaseAwayError
        if self.refuses & {a.body for a in arrivals if isinstance(a, NewMessage)}:
            raise ValueError("this value cannot be stored")
        return await super().store(arrivals)


async def test_a_message_that_can_never_be_stored_is_set_aside_and_named(
    node: MemoryNode,
    network: MemoryNetwork,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("server.chats.ingest.RETRY_SECONDS", 0.005)
    session = await node.working(NUMBER)
    picky = PickyStore(node.database)
    picky.refuses = frozenset({"impossible"})
    node.use_ingest(session, Ingest(picky, node.addresses))
    # given one among others
    network.write(ADA, NUMBER, "before")
    bad = network.write(ADA, NUMBER, "impossible")
    network.write(ADA, NUMBER, "behind")
    # then the others are stored, and those that come later
    await node.bodies(session, ADA, 2)
    network.write(ADA, NUMBER, "later")
    assert await node.bodies(session, ADA, 3) == ["before", "behind", "later"]
    # and the log names it, without what it says
    assert f"message {bad} of session {session.id} cannot be stored" in caplog.text
    assert "impossible" not in caplog.text


async def test_a_database_that_is_away_is_waited_for_as_long_as_it_takes(
    node: MemoryNode,
    network: MemoryNetwork,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("server.chats.ingest.RETRY_SECONDS", 0.001)
    session = await node.working(NUMBER)
    picky = PickyStore(node.database)
    picky.away = 50
    node.use_ingest(session, Ingest(picky, node.addresses))
    for text in ("first", "second"):
        network.write(ADA, NUMBER, text)
    assert await node.bodies(session, ADA, 2) == ["first", "second"]
    assert "set aside" not in caplog.text


@pytest.mark.usefixtures("impatient")
async def test_an_address_is_learned_although_the_database_was_away(node: MemoryNode) -> None:
    session = await node.create()
    picky = PickyStore(node.database)
    picky.away = 3
    lid, phone = Jid("7", "lid"), Jid("628120000009", "s.whatsapp.net")
    first = replace(a_received(lid), sender_alternative=phone, chat_alternative=phone)
    await Ingest(picky, node.addresses)(session, [first])
    assert await node.conversations.phone_jid(session.id, str(lid)) == str(phone)


async def test_a_chat_that_began_under_a_lid_is_found_by_the_number(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    ada = network.account(ADA)
    line = network.clients[-1]
    line.tell(a_received(ada.lid, "M1"))
    chat_of_lid = await until_found(node, session, str(ada.lid))
    network.write(ADA, NUMBER, "with both addresses")
    assert await node.bodies(session, ADA, 2) == ["with both addresses", "hello"]
    page = await node.chats.messages(session, str(ada.lid), limit=10, cursor="")
    assert (page.chat.id, page.chat.jid, len(page.messages)) == (chat_of_lid, str(ada.jid), 2)
    assert [page.names.lid(session.id, message.sender_jid) for message in page.messages] == [str(ada.lid)] * 2


async def until_found(node: MemoryNode, session: Session, jid: str) -> int:
    async def there() -> object:
        return await node.conversations.find_chat(session.id, jid)

    await until_async(there, f"a chat with {jid}")
    found = await node.conversations.find_chat(session.id, jid)
    assert found is not None
    return found.id
