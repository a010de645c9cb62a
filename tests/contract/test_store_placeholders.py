"""Placeholders of messages that could not be decrypted, and what becomes of them, on both engines."""

from dataclasses import replace

import pytest
import pytest_asyncio

from server.store.arrival_records import Arrival, NewMessage, NewReaction, NewRevoke
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.message_actions import MessageRepository
from server.store.records import UNDECRYPTABLE, Session
from tests.support.acts import ADA, an_act, an_edit, logged
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"
LID = "123456789@lid"


def a_placeholder(session_id: str, **more: str) -> NewMessage:
    message = a_message(session_id, "M1", body="", created_at=1_000, timestamp=900, **more)  # type: ignore[arg-type] # texts only
    return replace(message, type=UNDECRYPTABLE, content=b"")


@pytest.fixture
def message(session: Session) -> NewMessage:
    """The message that M1 turns out to be."""
    return replace(
        a_message(session.id, "M1", body="hello", created_at=2_000, timestamp=900),
        quoted_id="M0",
        mentions=[BOB],
    )


@pytest_asyncio.fixture
async def row_id(conversations: ConversationRepository, session: Session) -> int:
    """The row of M1, which could not be decrypted."""
    (row_id,) = await conversations.store([a_placeholder(session.id)])
    assert row_id is not None
    return row_id


async def test_a_placeholder_is_a_message(
    conversations: ConversationRepository, database: Database, session: Session, row_id: int
) -> None:
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    (stored,) = await conversations.page_messages(chat.id, before=None, limit=10)
    assert (stored.id, stored.type, stored.body) == (row_id, "undecryptable", "")
    assert chat.unread_count == 1
    (event,) = await logged(database)
    assert (event.name, event.payload["type"], event.payload["id"]) == ("message", "undecryptable", row_id)


async def test_it_is_filled_once_by_the_message_that_comes_later(
    conversations: ConversationRepository,
    database: Database,
    session: Session,
    row_id: int,
    message: NewMessage,
) -> None:
    await conversations.store([an_act(session.id, "M1", NewReaction("👍"), actor_jid=BOB)])
    for batch in ([message], [message, message], [a_placeholder(session.id)]):
        await conversations.store(batch)
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    (stored,) = await conversations.page_messages(chat.id, before=None, limit=10)
    assert (stored.id, stored.type, stored.body) == (row_id, "text", "hello")
    assert (stored.quoted_id, stored.mentions, stored.edited) == ("M0", [BOB], False)
    assert chat.unread_count == 1
    found = await MessageRepository(database).find(chat.id, "M1")
    assert found is not None
    assert found.content == message.content
    first, reaction, filled = await logged(database)
    assert (first.name, reaction.name, filled.name) == ("message", "message.reaction", "message.decrypted")
    assert filled.payload == {
        "ackLevel": 0,
        "body": "hello",
        "chatJid": ADA,
        "chatLid": None,
        "createdAt": 1_000,
        "deleted": False,
        "direction": "in",
        "edited": False,
        "error": None,
        "fromMe": False,
        "hasMedia": False,
        "id": row_id,
        "mentions": [BOB],
        "quotedId": "M0",
        "reactions": [{"emoji": "👍", "senderJid": BOB, "timestamp": 5_000}],
        "senderJid": ADA,
        "senderLid": None,
        "sessionId": session.id,
        "timestamp": 900,
        "type": "text",
        "waMessageId": "M1",
    }


async def test_both_may_come_in_one_batch(
    conversations: ConversationRepository, database: Database, session: Session, message: NewMessage
) -> None:
    await conversations.store([a_placeholder(session.id), message])
    assert [(event.name, event.payload["type"]) for event in await logged(database)] == [
        ("message", "undecryptable"),
        ("message.decrypted", "text"),
    ]


async def test_a_placeholder_behind_its_message_is_nothing(
    conversations: ConversationRepository, database: Database, session: Session, message: NewMessage
) -> None:
    await conversations.store([message, a_placeholder(session.id)])
    await conversations.store([a_placeholder(session.id)])
    assert [(event.name, event.payload["type"]) for event in await logged(database)] == [("message", "text")]


@pytest.mark.usefixtures("row_id")
async def test_an_edit_that_came_before_stays(
    conversations: ConversationRepository, database: Database, session: Session, message: NewMessage
) -> None:
    await conversations.store([an_act(session.id, "M1", an_edit("better"))])
    await conversations.store([message])
    filled = (await logged(database))[-1]
    assert (filled.name, filled.payload["body"]) == ("message.decrypted", "better")
    assert (filled.payload["edited"], filled.payload["type"]) == (True, "text")


@pytest.mark.usefixtures("row_id")
async def test_what_was_deleted_stays_so(
    conversations: ConversationRepository, database: Database, session: Session, message: NewMessage
) -> None:
    await conversations.store([an_act(session.id, "M1", NewRevoke())])
    await conversations.store([message])
    assert [event.name for event in await logged(database)] == ["message", "message.revoked"]
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    (stored,) = await conversations.page_messages(chat.id, before=None, limit=10)
    assert (stored.deleted, stored.body) == (True, "")


async def test_a_placeholder_of_a_lid_is_filled_under_the_number(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    # Given a placeholder of somebody whose number was not known
    await conversations.store([a_placeholder(session.id, chat_jid=LID, sender_jid=LID)])
    # When the message comes with both names
    whole = a_message(session.id, "M1", body="hello", address=(LID, ADA))
    batch: list[Arrival] = [whole]
    await conversations.store(batch)
    # Then it is that placeholder's
    filled = (await logged(database))[-1]
    assert (filled.name, filled.payload["chatJid"]) == ("message.decrypted", ADA)
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    (stored,) = await conversations.page_messages(chat.id, before=None, limit=10)
    assert (stored.type, stored.body) == ("text", "hello")


async def test_a_placeholder_is_not_the_message_that_it_stands_for(
    conversations: ConversationRepository, session: Session, message: NewMessage
) -> None:
    assert not await conversations.has_message(session.id, "M1")
    await conversations.store([a_placeholder(session.id)])
    assert not await conversations.has_message(session.id, "M1")
    await conversations.store([message])
    assert await conversations.has_message(session.id, "M1")
    assert not await conversations.has_message("another", "M1")
