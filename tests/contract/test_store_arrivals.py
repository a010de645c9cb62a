"""What is done to stored messages, and the events that tell of it, on both engines."""

import random
from dataclasses import replace

import pytest
import pytest_asyncio

from server.store.arrival_records import Arrival, NewReaction, NewRevoke
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.message_actions import MessageRepository
from server.store.records import Message, Reaction, Session
from tests.support.acts import ADA, a_receipt, an_act, an_edit, logged
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"
OWN = "628110000001@s.whatsapp.net"
LID = "123456789@lid"
TEAM = "120363000000000001@g.us"


async def only(conversations: ConversationRepository, session: Session, jid: str = ADA) -> Message:
    chat = await conversations.find_chat(session.id, jid)
    assert chat is not None
    (message,) = await conversations.page_messages(chat.id, before=None, limit=10)
    return message


async def names(database: Database) -> list[str]:
    return [event.name for event in await logged(database)]


@pytest.fixture
def messages(database: Database) -> MessageRepository:
    return MessageRepository(database)


@pytest_asyncio.fixture
async def theirs(conversations: ConversationRepository, session: Session) -> int:
    """The row id of a message from Ada, M1."""
    (row_id,) = await conversations.store([a_message(session.id, "M1")])
    assert row_id is not None
    return row_id


@pytest_asyncio.fixture
async def own(conversations: ConversationRepository, session: Session) -> int:
    """The row id of an own message to Ada, O1."""
    sent = replace(a_message(session.id, "O1", from_me=True, sender_jid=OWN), ack_level=1)
    (row_id,) = await conversations.store([sent])
    assert row_id is not None
    return row_id


async def test_a_new_message_is_an_event_once(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    message = a_message(session.id, "M1", body="שלום 😀", timestamp=1_790_000_000_000)
    (row_id,) = await conversations.store([message])
    await conversations.store([message, message])
    (event,) = await logged(database)
    assert (event.name, event.payload) == (
        "message",
        {
            "ackLevel": 0,
            "body": "שלום 😀",
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
            "mentions": [],
            "quotedId": None,
            "reactions": [],
            "senderJid": ADA,
            "senderLid": None,
            "sessionId": session.id,
            "timestamp": 1_790_000_000_000,
            "type": "text",
            "waMessageId": "M1",
        },
    )


@pytest.mark.usefixtures("theirs")
async def test_an_edit_replaces_the_text(
    conversations: ConversationRepository, messages: MessageRepository, database: Database, session: Session
) -> None:
    await conversations.store([an_act(session.id, "M1", replace(an_edit("better"), mentions=[BOB]))])
    message = await only(conversations, session)
    assert (message.body, message.edited, message.mentions) == ("better", True, [BOB])
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    stored = await messages.find(chat.id, "M1")
    assert stored is not None
    assert stored.content == b"\x0a\x05hello"
    event = (await logged(database))[-1]
    assert (event.name, event.payload) == (
        "message.edited",
        {
            "body": "better",
            "chatJid": ADA,
            "chatLid": None,
            "fromMe": False,
            "mentions": [BOB],
            "senderJid": ADA,
            "senderLid": None,
            "timestamp": 5_000,
            "waMessageId": "M1",
        },
    )


@pytest.mark.usefixtures("theirs")
async def test_an_older_edit_that_comes_later_changes_nothing(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    first = an_act(session.id, "M1", an_edit("first"), timestamp=5_000)
    second = an_act(session.id, "M1", an_edit("second"), timestamp=5_001)
    for batch in ([second], [first], [first, second], [second]):
        await conversations.store(batch)
    assert (await only(conversations, session)).body == "second"
    assert await names(database) == ["message", "message.edited"]


@pytest.mark.usefixtures("theirs")
async def test_a_revoke_forgets_what_was_said(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    revoke = an_act(session.id, "M1", NewRevoke(), actor_jid=BOB)
    await conversations.store([an_act(session.id, "M1", an_edit("better")), revoke, revoke])
    await conversations.store([revoke])
    # what comes behind it changes nothing either
    await conversations.store([an_act(session.id, "M1", an_edit("back"), timestamp=9_000)])
    await conversations.store([an_act(session.id, "M1", NewReaction("👍"), actor_jid=BOB)])
    message = await only(conversations, session)
    assert (message.body, message.deleted) == ("", True)
    assert await names(database) == ["message", "message.edited", "message.revoked"]
    payload = (await logged(database))[-1].payload
    assert (payload["senderJid"], payload["revokerJid"], payload["waMessageId"]) == (ADA, BOB, "M1")


async def test_of_a_person_s_reactions_the_latest_counts(
    conversations: ConversationRepository,
    messages: MessageRepository,
    database: Database,
    session: Session,
    own: int,
) -> None:
    def react(emoji: str, at: int, by: str = ADA) -> Arrival:
        return an_act(session.id, "O1", NewReaction(emoji), sender_jid=OWN, actor_jid=by, timestamp=at)

    up, heart, back = react("👍", 1), react("❤️", 2), react("", 3)
    await conversations.store([up, react("🎉", 1, by=BOB)])
    await conversations.store([heart, up])
    assert await messages.reactions([own]) == [Reaction(own, BOB, "🎉", 1), Reaction(own, ADA, "❤️", 2)]
    await conversations.store([back])
    # the same again, as after a database that could not say whether it had stored it
    await conversations.store([up, heart, back])
    assert await messages.reactions([own]) == [Reaction(own, BOB, "🎉", 1)]
    told = [event.payload for event in await logged(database) if event.name == "message.reaction"]
    assert [(payload["reactorJid"], payload["emoji"]) for payload in told] == [
        (ADA, "👍"),
        (BOB, "🎉"),
        (ADA, "❤️"),
        (ADA, ""),
    ]
    assert {payload["fromMe"] for payload in told} == {True}


async def test_taking_back_what_was_never_there_is_no_event(
    conversations: ConversationRepository, database: Database, session: Session, theirs: int
) -> None:
    taken_back = an_act(session.id, "M1", NewReaction(""), actor_jid=BOB)
    assert await conversations.store([taken_back]) == [theirs]
    assert await names(database) == ["message"]


@pytest.mark.usefixtures("own")
async def test_an_ack_level_only_rises(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    levels = [2, 2, 3, 2, 4, 3]
    await conversations.store([a_receipt(session.id, "O1", level) for level in levels[:3]])
    for level in levels[3:]:
        await conversations.store([a_receipt(session.id, "O1", level, by=BOB)])
    assert (await only(conversations, session)).ack_level == 4
    told = [event.payload for event in await logged(database) if event.name == "message.status"]
    assert [(p["status"], p["ackLevel"], p["participantJid"]) for p in told] == [
        ("delivered", 2, ADA),
        ("read", 3, ADA),
        ("played", 4, BOB),
    ]


async def test_in_a_group_everybody_has_a_level_of_their_own(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    sent = a_message(session.id, "O1", chat_jid=TEAM, from_me=True, sender_jid=OWN)
    await conversations.store([replace(sent, ack_level=1)])
    receipts = [(ADA, 3), (BOB, 2), (ADA, 2), (BOB, 2), (BOB, 3), (LID, 4)]
    told = [a_receipt(session.id, "O1", level, by=who, chat_jid=TEAM) for who, level in receipts]
    await conversations.store(told[:3])
    await conversations.store(told[3:])
    await conversations.store(told)
    assert (await only(conversations, session, TEAM)).ack_level == 4
    events = [event.payload for event in await logged(database) if event.name == "message.status"]
    assert [(p["participantJid"], p["status"], p["ackLevel"]) for p in events] == [
        (ADA, "read", 3),
        (BOB, "delivered", 3),
        (BOB, "read", 3),
        (LID, "played", 4),
    ]
    assert events[-1] == {
        "ackLevel": 4,
        "chatJid": TEAM,
        "chatLid": None,
        "error": None,
        "outboxId": "",
        "participantJid": LID,
        "participantLid": LID,
        "status": "played",
        "timestamp": 5_000,
        "waMessageId": "O1",
    }


async def test_a_member_who_turns_out_to_be_another_one_has_one_level(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store([a_message(session.id, "O1", chat_jid=TEAM, from_me=True, sender_jid=OWN)])
    await conversations.store(
        [
            a_receipt(session.id, "O1", 3, by=LID, chat_jid=TEAM),
            a_receipt(session.id, "O1", 2, by=ADA, chat_jid=TEAM),
        ]
    )
    await conversations.store([a_message(session.id, "M1", address=(LID, ADA))])
    await conversations.store([a_receipt(session.id, "O1", 3, by=ADA, chat_jid=TEAM)])
    assert await names(database) == ["message", "message.status", "message.status", "message"]


async def test_a_thousand_members_read_a_message(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store([a_message(session.id, "O1", chat_jid=TEAM, from_me=True, sender_jid=OWN)])
    members = [f"62813{n:07d}@s.whatsapp.net" for n in range(1_000)]
    for level in (2, 3):
        await conversations.store(
            [a_receipt(session.id, "O1", level, by=who, chat_jid=TEAM) for who in members]
        )
    events = [event.payload for event in await logged(database) if event.name == "message.status"]
    assert [event["participantJid"] for event in events] == members * 2


async def test_receipts_are_about_own_messages_alone(
    conversations: ConversationRepository, database: Database, session: Session, theirs: int
) -> None:
    assert await conversations.store([a_receipt(session.id, "M1", 3)]) == [None]
    assert (await only(conversations, session)).ack_level == 0
    assert await names(database) == ["message"]
    assert theirs


@pytest.mark.usefixtures("theirs")
async def test_what_is_about_an_unknown_message_changes_nothing(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    before = await only(conversations, session)
    strangers: list[Arrival] = [
        an_act(session.id, "M2", an_edit("x")),
        an_act(session.id, "M1", an_edit("x"), sender_jid=BOB, actor_jid=BOB),
        an_act(session.id, "M1", NewRevoke(), chat_jid=BOB),
        an_act("01JZZZZZZZZZZZZZZZZZZZZZZZ", "M1", NewRevoke()),
        a_receipt(session.id, "M2", 2),
    ]
    assert await conversations.store(strangers) == [None] * len(strangers)
    assert await only(conversations, session) == before
    assert await names(database) == ["message"]


async def test_an_event_stands_where_it_happened_but_behind_its_message(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store(
        [
            an_act(session.id, "M1", NewReaction("👍"), actor_jid=BOB),
            a_message(session.id, "M1"),
            an_act(session.id, "M1", an_edit("better")),
            a_message(session.id, "M2"),
        ]
    )
    told = [(event.name, event.payload["waMessageId"]) for event in await logged(database)]
    assert told == [
        ("message", "M1"),
        ("message.reaction", "M1"),
        ("message.edited", "M1"),
        ("message", "M2"),
    ]


async def test_both_names_of_people_are_told(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    # given somebody who wrote under a LID
    await conversations.store([a_message(session.id, "M1", chat_jid=LID, sender_jid=LID)])
    # when what they do next tells their number
    act = an_act(session.id, "M1", an_edit("better"), chat_jid=LID, sender_jid=LID, actor_jid=LID)
    await conversations.store([replace(act, lid=LID, phone_jid=ADA)])
    # then it finds the message, which stands under the number now
    assert (await only(conversations, session)).body == "better"
    payload = (await logged(database))[-1].payload
    assert [payload[name] for name in ("chatJid", "chatLid", "senderJid", "senderLid")] == [ADA, LID] * 2


async def test_the_character_0_harms_nothing(
    conversations: ConversationRepository, messages: MessageRepository, session: Session
) -> None:
    (row_id,) = await conversations.store([a_message(session.id, "M\0")])
    assert row_id is not None
    await conversations.store(
        [
            an_act(session.id, "M\0", an_edit("a\0b")),
            an_act(session.id, "M\0", NewReaction("\0"), actor_jid=BOB),
            a_receipt(session.id, "M\0", 2),
        ]
    )
    assert (await only(conversations, session)).body == "a\ufffdb"
    assert [reaction.emoji for reaction in await messages.reactions([row_id])] == ["\ufffd"]


async def test_any_history_told_twice_is_the_same(
    conversations: ConversationRepository, messages: MessageRepository, database: Database, session: Session
) -> None:
    """As after a commit of which nobody knows whether it happened."""
    chance = random.Random(4)
    history: list[Arrival] = [
        a_message(session.id, "M1"),
        a_message(session.id, "O1", from_me=True, sender_jid=OWN),
    ]
    for at in range(60):
        act = an_act(session.id, "M1", NewReaction(chance.choice(["", "", "a", "b", "c"])), timestamp=at)
        if chance.random() < 0.5:
            act = replace(act, deed=an_edit(f"text {at}"))
        history += [act, a_receipt(session.id, "O1", at // 20 + 2)]
    await conversations.store(history)

    async def everything() -> object:
        chat = await conversations.find_chat(session.id, ADA)
        assert chat is not None
        page = await conversations.page_messages(chat.id, before=None, limit=10)
        return chat, page, await messages.reactions([m.id for m in page]), await logged(database)

    before = await everything()
    for start in (0, 10, 31, 60):
        await conversations.store(history[start:])
    assert await everything() == before
