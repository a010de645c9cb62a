"""Single messages of the stored copy, on both engines."""

from dataclasses import replace

import pytest

from server.store.arrival_records import NewEdit, NewReaction, NewRevoke
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.message_actions import MessageRepository
from server.store.queries import DELETED_AT_A_TIME
from server.store.records import Chat, Message, Reaction, Session, StoredMessage
from server.store.sessions import SessionRepository
from tests.support.acts import an_act
from tests.support.records import a_message

ADA = "628120000001@s.whatsapp.net"
BOB = "628120000002@s.whatsapp.net"


@pytest.fixture
def messages(database: Database) -> MessageRepository:
    return MessageRepository(database)


async def chat_of(conversations: ConversationRepository, session: Session) -> Chat:
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    return chat


async def shown(conversations: ConversationRepository, session: Session) -> list[Message]:
    chat = await chat_of(conversations, session)
    return list(await conversations.page_messages(chat.id, before=None, limit=100))


async def stored(
    conversations: ConversationRepository, messages: MessageRepository, session: Session, wa_id: str = "M1"
) -> StoredMessage:
    await conversations.store([a_message(session.id, wa_id)])
    found = await messages.find((await chat_of(conversations, session)).id, wa_id)
    assert found is not None
    return found


async def test_a_message_is_found_by_id_sender_and_side(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    await conversations.store(
        [
            a_message(session.id, "M1"),
            a_message(session.id, "M1", sender_jid=BOB, from_me=True),
            a_message(session.id, "M2"),
        ]
    )
    chat = await chat_of(conversations, session)
    theirs = await messages.find(chat.id, "M1", sender_jid=ADA)
    own = await messages.find(chat.id, "M1", from_me=True)
    newest = await messages.find(chat.id, "M1")
    assert theirs is not None
    assert own is not None
    assert (theirs.sender_jid, theirs.from_me, theirs.content) == (ADA, False, b"\x0a\x05hello")
    assert (own.sender_jid, own.from_me) == (BOB, True)
    assert newest == own
    assert await messages.find(chat.id, "M2", from_me=True) is None
    assert await messages.find(chat.id, "M3") is None
    assert await messages.find(chat.id + 1, "M1") is None


async def test_the_newest_message_is_one_that_whatsapp_knows(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    await conversations.store(
        [
            a_message(session.id, "M1", timestamp=1_000),
            a_message(session.id, "M2", timestamp=2_000),
            a_message(session.id, None, timestamp=3_000, from_me=True),
        ]
    )
    newest = await messages.newest((await chat_of(conversations, session)).id)
    assert newest is not None
    assert newest.wa_message_id == "M2"


async def test_an_edited_message_says_the_new_text(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    message = await stored(conversations, messages, session)
    await conversations.store([an_act(session.id, "M1", NewEdit("better", b"", ()))])
    (now,) = await shown(conversations, session)
    assert (now.body, now.edited, now.deleted) == ("better", True, False)
    after = await messages.find((await chat_of(conversations, session)).id, "M1")
    assert after == replace(message, body="better", content=b"")


async def test_a_revoked_message_says_nothing_any_more(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    message = await stored(conversations, messages, session)
    await conversations.store([an_act(session.id, "M1", NewRevoke())])
    (now,) = await shown(conversations, session)
    assert (now.body, now.deleted) == ("", True)
    after = await messages.find((await chat_of(conversations, session)).id, "M1")
    assert after == replace(message, body="", content=b"", deleted=True)


async def test_a_hidden_message_is_gone_and_does_not_come_back(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    message = await stored(conversations, messages, session)
    await messages.hide(message.id)
    assert await shown(conversations, session) == []
    assert await messages.find((await chat_of(conversations, session)).id, "M1") is None
    assert await conversations.store([a_message(session.id, "M1")]) == [None]
    assert await shown(conversations, session) == []


async def test_everybody_has_one_reaction(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    message = await stored(conversations, messages, session)
    for who, emoji, at in ((ADA, "👍", 2), (BOB, "❤️", 3), (ADA, "🎉", 4)):
        await conversations.store([an_act(session.id, "M1", NewReaction(emoji), actor_jid=who, timestamp=at)])
    assert await messages.reactions([message.id]) == [
        Reaction(message.id, BOB, "❤️", 3),
        Reaction(message.id, ADA, "🎉", 4),
    ]
    assert await messages.reactions([]) == ()


async def test_a_deleted_chat_takes_everything_of_it_along_and_nothing_else(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    long = DELETED_AT_A_TIME + 10
    await conversations.store([a_message(session.id, f"M{n}") for n in range(long)])
    await conversations.store([a_message(session.id, "B1", chat_jid=BOB, sender_jid=BOB)])
    chat = await chat_of(conversations, session)
    first = await messages.find(chat.id, "M0")
    assert first is not None
    await conversations.store([an_act(session.id, "M0", NewReaction("👍"))])
    assert await messages.reactions([first.id]) != []
    await conversations.delete_chat(chat.id)
    assert await conversations.find_chat(session.id, ADA) is None
    assert await messages.find(chat.id, "M0") is None
    assert await messages.reactions([first.id]) == []
    bobs = await conversations.find_chat(session.id, BOB)
    assert bobs is not None
    assert await messages.find(bobs.id, "B1") is not None


async def test_a_chat_is_changed_in_part(conversations: ConversationRepository, session: Session) -> None:
    await conversations.store([a_message(session.id, "M1")])
    chat = await chat_of(conversations, session)
    await conversations.change_chat(chat.id, {"archived": True, "muted_until": 9_000})
    await conversations.change_chat(chat.id, {"unread_count": 0})
    assert await chat_of(conversations, session) == replace(
        chat, archived=True, muted_until=9_000, unread_count=0
    )


async def test_a_deleted_session_takes_a_long_chat_along(
    conversations: ConversationRepository, sessions: SessionRepository, session: Session
) -> None:
    await conversations.store([a_message(session.id, f"M{n}") for n in range(DELETED_AT_A_TIME + 10)])
    await sessions.delete(session.id)
    assert await sessions.find(session.id) is None
    assert await conversations.find_chat(session.id, ADA) is None
