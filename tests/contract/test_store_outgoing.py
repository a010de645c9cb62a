"""What is written down before and after a message goes out, on both engines."""

import asyncio

import pytest
from sqlalchemy import select, update

from server.store.conversations import ConversationRepository, SessionGoneError
from server.store.database import Database
from server.store.idempotency import IdempotencyRepository
from server.store.outbox import Claim, NewEntry, OutboxRepository, OutboxStatus, Settlement
from server.store.outcomes import LateAnswer, Outcome, OutcomeRepository, SettledKey
from server.store.records import IdempotencyKey, KeptResult, NewEvent, Session
from server.store.reservations import LeaseLostError, Reservation, ReservationRepository
from server.store.sessions import SessionRepository
from server.store.tables import EventRow, SessionRow, table_of
from tests.support.records import a_message, a_session

KEY = IdempotencyKey("org", "k-1")
GENERATION = 3


FAR = 10**15
"""A time that no test lives to see, epoch milliseconds."""


@pytest.fixture
def reservations(database: Database) -> ReservationRepository:
    return ReservationRepository(database)


@pytest.fixture
def idempotency(database: Database) -> IdempotencyRepository:
    return IdempotencyRepository(database)


@pytest.fixture
def outbox(database: Database) -> OutboxRepository:
    return OutboxRepository(database)


@pytest.fixture
def outcomes(database: Database) -> OutcomeRepository:
    return OutcomeRepository(database)


async def lease(database: Database, session: Session, generation: int = GENERATION) -> None:
    table = table_of(SessionRow)
    values = {"owner_generation": generation, "owner_expires_at": FAR}
    held = update(table).where(table.c.id == session.id).values(values)
    await database.write(lambda connection: connection.execute(held))


def reservation(
    session: Session,
    key: IdempotencyKey | None = KEY,
    *,
    at: int | None = 5_000,
    generation: int = GENERATION,
) -> Reservation:
    return Reservation(session.id, generation, 5_000, at, key)


def entry(session: Session, name: str, key: IdempotencyKey | None = None, *, created_at: int = 1) -> NewEntry:
    return NewEntry(name, "org", session.id, "628120000001@s.whatsapp.net", {"text": name}, created_at, key)


async def test_a_key_is_reserved_once_and_says_so_to_everybody_else(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
) -> None:
    await lease(database, session)
    results = await asyncio.gather(*(reservations.reserve(reservation(session)) for _ in range(20)))
    assert results.count(None) == 1
    under_way = KeptResult(session.id, GENERATION, None, None, None, None)
    assert [result for result in results if result is not None] == [under_way] * 19
    assert await idempotency.find(KEY) == under_way
    assert list(await reservations.sent_since(session.id, 0)) == [5_000]


async def test_keys_belong_to_their_organization(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
) -> None:
    await lease(database, session)
    assert await reservations.reserve(reservation(session)) is None
    assert await idempotency.find(IdempotencyKey("other", KEY.key)) is None


async def test_a_key_may_be_under_way_while_its_session_is_held_by_who_reserved_it(
    database: Database, session: Session, reservations: ReservationRepository
) -> None:
    await lease(database, session)
    kept = KeptResult(session.id, GENERATION, None, None, None, None)
    assert await reservations.may_be_under_way(kept)
    await lease(database, session, GENERATION + 1)
    assert not await reservations.may_be_under_way(kept)


async def test_without_the_lease_nothing_is_reserved(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
) -> None:
    await lease(database, session)
    both = await asyncio.gather(
        reservations.reserve(reservation(session, generation=GENERATION - 1)),
        reservations.reserve(reservation(session, None)),
        return_exceptions=True,
    )
    assert isinstance(both[0], LeaseLostError)
    assert both[1] is None
    assert await idempotency.find(KEY) is None
    assert list(await reservations.sent_since(session.id, 0)) == [5_000]


async def test_use_of_the_rate_is_counted_per_session_and_forgotten_in_time(
    database: Database, session: Session, reservations: ReservationRepository
) -> None:
    await lease(database, session)
    for at in (1_000, 2_000, 3_000):
        await reservations.reserve(reservation(session, None, at=at))
    await reservations.reserve(reservation(session, None, at=None))
    assert list(await reservations.sent_since(session.id, 1_000)) == [2_000, 3_000]
    assert list(await reservations.sent_since("another", 0)) == []
    assert await reservations.forget(3_000, limit=1) == 1
    assert await reservations.forget(3_000, limit=10) == 1
    assert list(await reservations.sent_since(session.id, 0)) == [3_000]


async def test_a_key_whose_send_did_not_happen_is_free_again(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
) -> None:
    await lease(database, session)
    await reservations.reserve(reservation(session))
    await idempotency.release(KEY)
    assert await reservations.reserve(reservation(session)) is None


async def test_an_outcome_is_kept_under_its_key_and_not_released_any_more(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
    outcomes: OutcomeRepository,
) -> None:
    await lease(database, session)
    await reservations.reserve(reservation(session))
    await outcomes.record(Outcome(key=SettledKey(KEY, "sent", "M1", 7_000)))
    kept = KeptResult(session.id, GENERATION, "sent", None, "M1", 7_000)
    await idempotency.release(KEY)
    assert await idempotency.find(KEY) == kept
    assert await reservations.reserve(reservation(session)) == kept


async def test_keys_are_forgotten_after_their_time(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
) -> None:
    await lease(database, session)
    await reservations.reserve(reservation(session))
    assert await idempotency.forget(5_000, limit=10) == 0
    assert await idempotency.forget(5_001, limit=10) == 1
    assert await idempotency.find(KEY) is None


async def test_an_outcome_stores_message_key_and_event_together(
    database: Database,
    session: Session,
    reservations: ReservationRepository,
    idempotency: IdempotencyRepository,
    outcomes: OutcomeRepository,
) -> None:
    await lease(database, session)
    await reservations.reserve(reservation(session))
    gone = Outcome(
        message=a_message("no-such-session", "M1"),
        key=SettledKey(KEY, "sent", "M1", 7_000),
        event=NewEvent("org", session.id, "message.status", 1, {}),
    )
    with pytest.raises(SessionGoneError):
        await outcomes.record(gone)
    kept = await idempotency.find(KEY)
    assert kept is not None
    assert kept.status is None
    assert await events(database) == []


async def events(database: Database) -> list[tuple[str, str]]:
    table = table_of(EventRow)
    found = select(table.c.id, table.c.name).order_by(table.c.id)
    return [(row.id, row.name) for row in await database.read(lambda c: c.execute(found).all())]


async def test_events_rise_also_with_many_writers(
    database: Database, session: Session, outcomes: OutcomeRepository
) -> None:
    others = [OutcomeRepository(database) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        for number in range(60):
            event = NewEvent("org", session.id, f"n{number:02}", 1, {"n": number})
            group.create_task(others[number % 4].record(Outcome(event=event)))
    found = await events(database)
    assert {name for _, name in found} == {f"n{number:02}" for number in range(60)}
    assert len({event_id for event_id, _ in found}) == 60
    await outcomes.record(Outcome(event=NewEvent("org", session.id, "last", 1, {})))
    assert (await events(database))[-1][1] == "last"
    assert all(event_id.startswith("evt_") and len(event_id) == 30 for event_id, _ in found)


async def test_a_late_answer_settles_a_stored_message(
    session: Session, outcomes: OutcomeRepository, conversations: ConversationRepository
) -> None:
    row_id = await outcomes.record(Outcome(message=a_message(session.id, None, from_me=True)))
    assert row_id is not None
    refused = await outcomes.record(Outcome(message=a_message(session.id, None, from_me=True, timestamp=9)))
    assert refused is not None
    await outcomes.record(Outcome(late=LateAnswer(row_id, "M9", 7_000, 1, None)))
    await outcomes.record(Outcome(late=LateAnswer(refused, None, 0, -1, "over_limit")))
    chat = await conversations.find_chat(session.id, "628120000001@s.whatsapp.net")
    assert chat is not None
    settled, failed = await conversations.page_messages(chat.id, before=None, limit=10)
    assert (settled.wa_message_id, settled.timestamp, settled.ack_level, settled.error) == (
        "M9",
        7_000,
        1,
        None,
    )
    assert (failed.wa_message_id, failed.timestamp, failed.ack_level, failed.error) == (
        None,
        9,
        -1,
        "over_limit",
    )


async def test_entries_wait_in_the_order_of_acceptance(session: Session, outbox: OutboxRepository) -> None:
    names = [f"e{number:02}" for number in range(30)]
    await asyncio.gather(*(outbox.accept(entry(session, name)) for name in names))
    page = await outbox.waiting(session.id, behind=0, limit=20)
    assert [e.id for e in page] == names[:20]
    rest = await outbox.waiting(session.id, behind=page[-1].number, limit=20)
    assert [e.id for e in rest] == names[20:]
    assert page[0].draft == {"text": "e00"}
    assert list(await outbox.sessions_waiting()) == [session.id]


async def test_an_entry_with_a_key_is_accepted_once(session: Session, outbox: OutboxRepository) -> None:
    results = await asyncio.gather(*(outbox.accept(entry(session, f"e{n}", KEY)) for n in range(10)))
    (first,) = [n for n, result in enumerate(results) if result is None]
    kept = {(result.status, result.outbox_id) for result in results if result is not None}
    assert kept == {("queued", f"e{first}")}
    assert [e.id for e in await outbox.waiting(session.id, behind=0, limit=10)] == [f"e{first}"]


async def test_an_entry_of_a_deleted_session_is_refused(
    session: Session, sessions: SessionRepository, outbox: OutboxRepository
) -> None:
    await outbox.accept(entry(session, "e1"))
    await sessions.delete(session.id)
    with pytest.raises(SessionGoneError):
        await outbox.accept(entry(session, "e2"))
    assert await outbox.sessions_waiting() == []


async def test_an_entry_is_claimed_by_one_and_only_under_the_lease(
    database: Database, session: Session, outbox: OutboxRepository, reservations: ReservationRepository
) -> None:
    await lease(database, session)
    await outbox.accept(entry(session, "e1"))
    (waiting,) = await outbox.waiting(session.id, behind=0, limit=10)
    assert await outbox.claim([Claim(waiting.number, session.id, GENERATION - 1, 1_000)]) == [False]
    twice = [Claim(waiting.number, session.id, GENERATION, 1_000) for _ in range(2)]
    claims = await asyncio.gather(*(outbox.claim(twice) for _ in range(5)))
    assert sorted(map(list, claims)) == [[False, False]] * 4 + [[True, False]]
    assert list(await reservations.sent_since(session.id, 0)) == [1_000]
    assert await outbox.waiting(session.id, behind=0, limit=10) == []
    assert await outbox.left_behind(session.id, GENERATION) == []
    assert await outbox.left_behind(session.id, GENERATION + 1) == [waiting]


async def test_claims_of_several_sessions_share_a_commit(
    database: Database, session: Session, sessions: SessionRepository, outbox: OutboxRepository
) -> None:
    other = a_session("org")
    await sessions.add(other)
    await lease(database, session)
    await lease(database, other, 9)
    await outbox.accept(entry(session, "e1"))
    await outbox.accept(entry(other, "e2"))
    (mine,) = await outbox.waiting(session.id, behind=0, limit=10)
    (its,) = await outbox.waiting(other.id, behind=0, limit=10)
    wanted = ((mine, session, GENERATION), (its, other, GENERATION), (its, other, 9))
    claims = [Claim(e.number, held.id, generation, None) for e, held, generation in wanted]
    assert await outbox.claim(claims) == [True, False, True]


async def test_an_entry_that_was_put_back_waits_in_its_old_place(
    database: Database, session: Session, outbox: OutboxRepository
) -> None:
    await lease(database, session)
    for name in ("e1", "e2"):
        await outbox.accept(entry(session, name))
    first, _ = await outbox.waiting(session.id, behind=0, limit=10)
    await outbox.claim([Claim(first.number, session.id, GENERATION, None)])
    await outbox.put_back(first.number)
    assert [e.id for e in await outbox.waiting(session.id, behind=0, limit=10)] == ["e1", "e2"]


async def test_what_an_entry_became_is_kept_and_forgotten_after_its_time(
    database: Database, session: Session, outbox: OutboxRepository, outcomes: OutcomeRepository
) -> None:
    await lease(database, session)
    await outbox.accept(entry(session, "e1"))
    (waiting,) = await outbox.waiting(session.id, behind=0, limit=10)
    await outbox.claim([Claim(waiting.number, session.id, GENERATION, None)])
    await outcomes.record(Outcome(entry=Settlement(waiting.number, OutboxStatus.SENT, 9_000, None, "M1")))
    await outbox.put_back(waiting.number)
    assert await outbox.waiting(session.id, behind=0, limit=10) == []
    assert await outbox.left_behind(session.id, GENERATION + 1) == []
    assert await outbox.sessions_waiting() == []
    assert await outbox.forget(9_000, limit=10) == 0
    assert await outbox.forget(9_001, limit=10) == 1


async def test_an_outcome_that_came_too_late_changes_nothing_at_all(
    database: Database, session: Session, outbox: OutboxRepository, outcomes: OutcomeRepository
) -> None:
    await lease(database, session)
    await outbox.accept(entry(session, "e1", created_at=1_000))
    await outbox.accept(entry(session, "e2", created_at=1_000))
    first, second = await outbox.overdue(1_001, limit=10)
    assert await outbox.overdue(1_000, limit=10) == []
    await outbox.claim([Claim(first.number, session.id, GENERATION, None)])

    def expired(number: int) -> Outcome:
        settlement = Settlement(
            number, OutboxStatus.FAILED, 9_000, "expired", None, expected=OutboxStatus.QUEUED
        )
        event = NewEvent("org", session.id, "message.status", 1, {})
        message = a_message(session.id, None, from_me=True)
        return Outcome(message=message, entry=settlement, event=event)

    missed, written = await asyncio.gather(
        outcomes.record(expired(first.number)), outcomes.record(expired(second.number))
    )
    assert missed is None
    assert written is not None
    assert [name for _, name in await events(database)] == ["message", "message.status"]
    assert await outbox.overdue(1_001, limit=10) == []
