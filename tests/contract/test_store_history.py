"""History is kept as it comes and finished piece by piece, on both engines."""

import asyncio

import pytest

from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.history import HistoryRepository
from server.store.past import Added
from server.store.records import Session
from server.store.sessions import SessionRepository
from tests.support.acts import logged
from tests.support.pasts import OWN, Stored, a_chunk, a_past, next_piece, old
from tests.support.records import a_session


@pytest.fixture
def histories(database: Database) -> HistoryRepository:
    return HistoryRepository(database)


async def test_pieces_wait_in_their_order_until_they_are_finished(
    histories: HistoryRepository, session: Session
) -> None:
    for chunk in (a_chunk(session, "C1", 2), a_chunk(session, "C2")):
        await histories.keep(chunk)
    assert await histories.waiting(session.id) == 3
    seen = []
    while (piece := await histories.next_piece()) is not None:
        assert (piece.session_id, piece.kind, piece.own_jid, piece.received_at) == (
            session.id,
            "recent",
            OWN,
            5_000,
        )
        seen.append(piece.data)
        assert await histories.finish(piece, None) == Added(0, 0)
    assert seen == [b"C1 0", b"C1 1", b"C2 0"]
    assert await histories.waiting(session.id) == 0


async def test_a_chunk_that_is_kept_twice_is_one(histories: HistoryRepository, session: Session) -> None:
    await histories.keep(a_chunk(session))
    await histories.keep(a_chunk(session))
    assert await histories.waiting(session.id) == 1


async def test_pieces_are_found_by_session_and_age(histories: HistoryRepository, session: Session) -> None:
    await histories.keep(a_chunk(session, received_at=5_000))
    assert await histories.next_piece(sessions=[session.id]) is not None
    assert await histories.next_piece(sessions=["another"]) is None
    assert await histories.next_piece(sessions=[]) is None
    assert await histories.next_piece(before=5_000) is None
    assert await histories.next_piece(before=5_001) is not None


async def test_history_of_a_session_that_is_gone_is_refused_and_goes_with_it(
    histories: HistoryRepository, sessions: SessionRepository, session: Session
) -> None:
    with pytest.raises(SessionGoneError):
        await histories.keep(a_chunk(a_session(session_id="none")))
    await histories.keep(a_chunk(session))
    piece = await next_piece(histories)
    await sessions.delete(session.id)
    assert await histories.next_piece() is None
    assert await histories.finish(piece, a_past(session)) is None


async def test_two_nodes_finish_a_piece_once(
    histories: HistoryRepository, database: Database, session: Session
) -> None:
    await histories.keep(a_chunk(session, pieces=2))
    for number in range(2):
        piece = await next_piece(histories)
        past = a_past(session, old(f"M{number}", session))
        results = await asyncio.gather(*(histories.finish(piece, past) for _ in range(4)))
        assert [result for result in results if result is not None] == [Added(1 - number, 1)]
    assert len(await Stored(database, session).all()) == 2
    (event,) = await logged(database)
    assert (event.payload["chats"], event.payload["messages"]) == (1, 2)


async def test_the_last_piece_of_a_chunk_is_told_and_old_messages_are_not(
    histories: HistoryRepository, database: Database, session: Session
) -> None:
    await histories.keep(a_chunk(session, pieces=2))
    await histories.finish(await next_piece(histories), a_past(session, old("M1", session)))
    assert await logged(database) == []
    await histories.finish(
        await next_piece(histories), a_past(session, old("M2", session), old("M1", session))
    )
    (event,) = await logged(database)
    assert event.name == "history.synced"
    assert event.payload == {
        "chats": 1,
        "messages": 2,
        "progress": 40,
        "timestamp": 5_000,
        "type": "recent",
    }
