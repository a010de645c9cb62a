"""What is told and not stored, on both engines."""

from dataclasses import replace

import pytest

from server.store.arrival_records import NewHappening
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import Session
from tests.support.acts import ADA, logged
from tests.support.records import a_message

GROUP = "120363000000000001@g.us"
BOB, BOB_LID = "628120000002@s.whatsapp.net", "9001@lid"


def a_change(session_id: str, change: str, **more: object) -> NewHappening:
    changed = NewHappening(
        session_id=session_id,
        name="group.updated",
        payload={"change": change, "groupJid": GROUP, "timestamp": 5_000, "value": ""},
        people={"actor": ADA},
        participants=(),
        at=6_000,
    )
    return replace(changed, **more)  # type: ignore[arg-type] # names are the record's own


async def test_people_are_told_by_both_names(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    added = a_change(session.id, "added", participants=[BOB], learned=[(BOB_LID, BOB)])
    unknown = a_change(session.id, "invite", people={"actor": None})
    assert await conversations.store([added, unknown]) == [None, None]
    first, second = await logged(database)
    assert first.payload["participants"] == [{"jid": BOB, "lid": BOB_LID}]
    assert (first.payload["actorJid"], first.payload["actorLid"]) == (ADA, None)
    assert (second.payload["actorJid"], second.payload["actorLid"]) == (None, None)


async def test_a_group_is_called_as_it_was_told(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    joined = a_change(session.id, "joined", chat_jid=GROUP, chat_name="Fri\0ends")
    await conversations.store([joined])
    await conversations.store([joined])
    chat = await conversations.find_chat(session.id, GROUP)
    assert chat is not None
    assert (chat.name, chat.unread_count, chat.last_message_at) == ("Fri\ufffdends", 0, None)
    names = [(event.name, event.payload.get("change")) for event in await logged(database)]
    assert names == [("chat.updated", None), ("group.updated", "joined"), ("group.updated", "joined")]


async def test_another_name_leaves_the_rest_of_a_chat_alone(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store([a_message(session.id, "M1", chat_jid=GROUP)])
    await conversations.store([a_change(session.id, "subject", chat_jid=GROUP, chat_name="Friends")])
    chat = await conversations.find_chat(session.id, GROUP)
    assert chat is not None
    assert (chat.name, chat.unread_count) == ("Friends", 1)
    told = (await logged(database))[1].payload["chat"]
    assert isinstance(told, dict)
    assert (told["name"], told["unreadCount"], told["type"]) == ("Friends", 1, "group")


@pytest.mark.usefixtures("database")
async def test_a_chat_that_changes_in_nothing_is_not_told(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store([a_message(session.id, "M1")])
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    await conversations.change_chat(chat.id, {"pinned": True, "archived": False})
    await conversations.change_chat(chat.id, {"pinned": True})
    await conversations.delete_chat(chat.id)
    await conversations.delete_chat(chat.id)
    _, pinned, deleted = await logged(database)
    assert (pinned.name, deleted.name) == ("chat.updated", "chat.updated")
    assert pinned.payload["chat"] is not None
    assert (deleted.payload["chat"], deleted.payload["chatJid"]) == (None, ADA)
