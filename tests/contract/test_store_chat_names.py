"""What chats are called, as the people in them call themselves, on both engines."""

from dataclasses import replace

from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import Session
from tests.support.acts import ADA, logged
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"


async def told(database: Database) -> list[tuple[object, object]]:
    """The chats that were told, each with its name then."""
    found = []
    for event in await logged(database):
        chat = event.payload.get("chat")
        if event.name == "chat.updated" and isinstance(chat, dict):
            found.append((event.payload["chatJid"], chat["name"]))
    return found


async def test_a_chat_is_told_when_its_person_takes_another_name(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    names = ("Ada", "Ada", "", "Ada L.", "Ada L.")
    for number, name in enumerate(names):
        await conversations.store([a_message(session.id, f"M{number}", chat_name=name)])
    assert await told(database) == [(ADA, "Ada L.")]
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    assert chat.name == "Ada L."


async def test_a_chat_without_a_name_gets_that_of_who_answers(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    own = a_message(session.id, "O1", from_me=True, sender_jid="628110000001@s.whatsapp.net")
    await conversations.store([own])
    await conversations.store([a_message(session.id, "M1", chat_name="Ada\0")])
    assert await told(database) == [(ADA, "Ada\ufffd")]


async def test_of_many_messages_together_the_last_name_is_told_once(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    bob = replace(a_message(session.id, "B1", chat_name="Bob"), chat_jid=BOB, sender_jid=BOB)
    await conversations.store([a_message(session.id, "M1", chat_name="Ada"), bob])
    await conversations.store(
        [
            a_message(session.id, "M2", chat_name="A."),
            a_message(session.id, "M3", chat_name="Ada L."),
            replace(bob, wa_message_id="B2"),
        ]
    )
    assert await told(database) == [(ADA, "Ada L.")]
