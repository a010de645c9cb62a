"""What comes before its message waits for it, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from server.clock import now_ms
from server.config import Settings
from server.messages.housekeeping import Housekeeping
from server.store.arrival_records import Arrival, NewReaction, NewRevoke
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.early import KEPT_MS, EarlyArrivalRepository
from server.store.idempotency import IdempotencyRepository
from server.store.message_actions import MessageRepository
from server.store.outbox import OutboxRepository
from server.store.outcomes import LateAnswer, Outcome, OutcomeRepository
from server.store.records import Message, NewEvent, Reaction, Session
from server.store.reservations import ReservationRepository
from server.store.sessions import SessionRepository
from tests.support.acts import ADA, a_receipt, an_act, an_edit, logged
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"
OWN = "628110000001@s.whatsapp.net"
LID = "123456789@lid"
SENT = {
    "ackLevel": 1,
    "chatJid": ADA,
    "chatLid": None,
    "error": None,
    "outboxId": "x",
    "participantJid": None,
    "participantLid": None,
    "status": "sent",
    "timestamp": 1,
    "waMessageId": "O1",
}


@pytest.fixture
def early(database: Database) -> EarlyArrivalRepository:
    return EarlyArrivalRepository(database)


@pytest.fixture
def outcomes(database: Database) -> OutcomeRepository:
    return OutcomeRepository(database)


async def only(conversations: ConversationRepository, session: Session) -> Message:
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    (message,) = await conversations.page_messages(chat.id, before=None, limit=10)
    return message


async def names(database: Database) -> list[str]:
    return [event.name for event in await logged(database)]


async def waiting(early: EarlyArrivalRepository) -> int:
    """How many arrivals wait; they wait no more."""
    return await early.forget(2**62, limit=10_000)


async def test_acts_are_done_as_soon_as_their_message_is_stored(
    conversations: ConversationRepository, database: Database, session: Session, early: EarlyArrivalRepository
) -> None:
    # given acts on a message that nobody has seen, one of them twice
    act = an_act(session.id, "M1", an_edit("better"))
    reaction = an_act(session.id, "M1", NewReaction("👍"), actor_jid=BOB)
    assert await conversations.store([reaction, act, act]) == [None] * 3
    await conversations.store([replace(act, at=9_999)])
    assert await names(database) == []
    # when the message comes
    (row,) = await conversations.store([a_message(session.id, "M1")])
    # then they are told behind it, in their order and once
    assert row is not None
    assert (await only(conversations, session)).body == "better"
    assert await MessageRepository(database).reactions([row]) == [Reaction(row, BOB, "👍", 5_000)]
    assert await names(database) == ["message", "message.reaction", "message.edited"]
    assert await waiting(early) == 0
    # and nothing is left to be done again
    await conversations.store([act, reaction, a_message(session.id, "M1")])
    assert len(await names(database)) == 3


async def test_a_message_that_was_deleted_before_it_came_says_nothing(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    await conversations.store([an_act(session.id, "M1", NewRevoke())])
    await conversations.store([a_message(session.id, "M1")])
    message = await only(conversations, session)
    assert (message.body, message.deleted) == ("", True)
    assert await names(database) == ["message", "message.revoked"]


async def test_a_receipt_that_is_faster_than_its_send_s_outcome_counts(
    conversations: ConversationRepository, database: Database, session: Session, outcomes: OutcomeRepository
) -> None:
    await conversations.store([a_receipt(session.id, "O1", 2), a_receipt(session.id, "O1", 3)])
    sent = replace(a_message(session.id, "O1", from_me=True, sender_jid=OWN), ack_level=1)
    told = NewEvent("org", session.id, "message.status", 1, SENT)
    await outcomes.record(Outcome(message=sent, event=told))
    assert (await only(conversations, session)).ack_level == 3
    assert [event.payload.get("status", event.name) for event in await logged(database)] == [
        "message",
        "sent",
        "delivered",
        "read",
    ]


async def test_a_receipt_waits_for_the_answer_to_an_indeterminate_send(
    conversations: ConversationRepository, session: Session, outcomes: OutcomeRepository
) -> None:
    unknown = a_message(session.id, None, from_me=True, sender_jid=OWN)
    row = await outcomes.record(Outcome(message=unknown))
    assert row is not None
    await conversations.store([a_receipt(session.id, "O1", 2)])
    await outcomes.record(Outcome(late=LateAnswer(row, "O1", 7_000, 1, None)))
    assert (await only(conversations, session)).ack_level == 2


async def test_what_waits_under_a_lid_finds_its_message_under_the_number(
    conversations: ConversationRepository, database: Database, session: Session
) -> None:
    act = an_act(session.id, "M1", an_edit("better"), chat_jid=LID, sender_jid=LID, actor_jid=LID)
    await conversations.store([act])
    await conversations.store([a_message(session.id, "M1", address=(LID, ADA))])
    assert (await only(conversations, session)).body == "better"
    assert (await logged(database))[-1].payload["senderLid"] == LID


async def test_what_does_not_fit_the_message_waits_on(
    conversations: ConversationRepository, database: Database, session: Session, early: EarlyArrivalRepository
) -> None:
    strangers: list[Arrival] = [
        an_act(session.id, "M1", an_edit("forged"), sender_jid=BOB, actor_jid=BOB),
        an_act(session.id, "M1", NewRevoke(), chat_jid=BOB),
        an_act(session.id, "M2", NewRevoke()),
        a_receipt(session.id, "M1", 3),
    ]
    await conversations.store([*strangers, an_act("01JZZZZZZZZZZZZZZZZZZZZZZZ", "M1", NewRevoke())])
    await conversations.store([a_message(session.id, "M1")])
    assert (await only(conversations, session)).body == "hello"
    assert await names(database) == ["message"]
    assert await waiting(early) == len(strangers)


async def test_what_waits_goes_with_its_age_and_its_number(
    conversations: ConversationRepository,
    sessions: SessionRepository,
    session: Session,
    early: EarlyArrivalRepository,
) -> None:
    acts = [replace(an_act(session.id, f"M{n}", NewRevoke()), at=n) for n in range(10)]
    await conversations.store(acts)
    assert await early.forget(3, limit=2) == 2
    assert await early.forget(3, limit=2) == 1
    assert await early.trim(4, limit=2) == 2
    assert await early.trim(4, limit=2) == 1
    assert await early.trim(4, limit=2) == 0
    await conversations.store([a_message(session.id, f"M{n}", created_at=n) for n in range(10)])
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    page = await conversations.page_messages(chat.id, before=None, limit=10)
    assert [message.deleted for message in page] == [True] * 4 + [False] * 6
    await conversations.store([an_act(session.id, "M99", NewRevoke())])
    await sessions.delete(session.id)
    assert await waiting(early) == 0


async def test_the_housekeeping_bounds_what_waits(
    conversations: ConversationRepository,
    database: Database,
    session: Session,
    early: EarlyArrivalRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.store.early.KEPT", 3)
    now = now_ms()
    acts = [replace(an_act(session.id, f"M{n}", NewRevoke()), at=now) for n in range(5)]
    old = replace(an_act(session.id, "M9", NewRevoke()), at=now - KEPT_MS - 1)
    await conversations.store([*acts, old])
    housekeeping = Housekeeping(
        Settings(),
        IdempotencyRepository(database),
        ReservationRepository(database),
        OutboxRepository(database),
        early,
    )
    await housekeeping.round()
    assert await waiting(early) == 3


async def test_two_writers_at_the_same_time_miss_nothing(
    database: Database, session: Session, outcomes: OutcomeRepository
) -> None:
    """One stores messages, the other one their receipts: on PostgreSQL in two transactions at once."""
    conversations = ConversationRepository(database)
    for n in range(60):
        sent = replace(a_message(session.id, f"O{n}", from_me=True, sender_jid=OWN), ack_level=1)
        await asyncio.gather(
            outcomes.record(Outcome(message=sent)), conversations.store([a_receipt(session.id, f"O{n}", 2)])
        )
    chat = await conversations.find_chat(session.id, ADA)
    assert chat is not None
    page = await conversations.page_messages(chat.id, before=None, limit=100)
    assert {message.ack_level for message in page} == {2}
    assert sorted(await names(database)) == ["message"] * 60 + ["message.status"] * 60
