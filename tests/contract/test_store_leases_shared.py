"""Leases of several nodes that live at the same time, which only PostgreSQL allows."""

import asyncio

import pytest
from sqlalchemy import Connection, text

from server.store.database import Database, open_database
from server.store.leases import HeldElsewhereError, LeaseRepository, held
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from tests.contract.test_store_leases import BOOTS, is_held
from tests.support.leases import a_lease_repository
from tests.support.records import a_session
from tests.support.waiting import until

pytestmark = pytest.mark.parametrize("engine", ["postgresql"])


@pytest.fixture
def here(database: Database) -> LeaseRepository:
    return a_lease_repository(database, "here", boot=BOOTS[2])


async def test_what_a_living_node_holds_is_refused_and_its_name_told(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    generation = await here.acquire(session.id)
    with pytest.raises(HeldElsewhereError) as caught:
        await a_lease_repository(database, "other").acquire(session.id)
    assert caught.value.node == "here"
    assert await is_held(database, session, generation)


async def test_the_later_of_two_lives_with_one_name_wins_for_good(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    """Two nodes that were given the same id by mistake."""
    later = a_lease_repository(database, "here", boot=BOOTS[3])
    await here.acquire(session.id)
    await later.acquire(session.id)
    with pytest.raises(HeldElsewhereError):
        await here.acquire(session.id)


async def test_of_two_nodes_that_want_the_same_sessions_one_gets_each(
    url: str, sessions: SessionRepository, organization: Organization
) -> None:
    records = [a_session(organization.id) for _ in range(40)]
    await asyncio.gather(*(sessions.add(record) for record in records))
    databases = [open_database(url) for _ in range(2)]
    nodes = [a_lease_repository(found, f"n{number}") for number, found in enumerate(databases)]
    try:
        got = await asyncio.gather(
            *(node.acquire(record.id) for record in records for node in nodes), return_exceptions=True
        )
        for index, record in enumerate(records):
            pair = got[2 * index : 2 * index + 2]
            assert {type(result) for result in pair} == {HeldElsewhereError, int}
            winner = next(n for n, result in enumerate(pair) if isinstance(result, int))
            assert await nodes[0].holders([record.id]) == {record.id: f"n{winner}"}
    finally:
        for database in databases:
            await database.close()


async def test_nobody_acquires_a_session_while_a_fenced_transaction_writes(
    url: str, database: Database, session: Session, here: LeaseRepository
) -> None:
    # given a transaction that looked at its lease, which ends meanwhile
    other_database = open_database(url)
    other = a_lease_repository(other_database, "other")
    generation = await here.acquire(session.id)
    order: list[str] = []

    def waiting(connection: Connection) -> int:
        # the other's UPDATE, as PostgreSQL sees it
        count: int = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()
        return count

    def fenced(connection: Connection) -> bool:
        connection.execute(text("SELECT 1"))
        result = held(connection, session.id, generation)
        looked.set()
        while not waiting(connection):
            connection.execute(text("SELECT pg_sleep(0.01)"))
        order.append("fenced")
        return result

    looked = asyncio.Event()
    short = text("UPDATE session SET owner_expires_at = owner_expires_at - 29800 WHERE id = :id")
    await database.write(lambda connection: connection.execute(short, {"id": session.id}))
    try:
        writing = asyncio.create_task(database.write(fenced))
        await until(looked.is_set, "the fenced transaction has looked")
        # when another node takes the session
        acquired = await acquire_in_the_end(other, session)
        order.append("acquired")
        # then only after that transaction
        assert await writing
        assert order == ["fenced", "acquired"]
        assert acquired == generation + 1
    finally:
        await other_database.close()


async def acquire_in_the_end(leases: LeaseRepository, session: Session) -> int:
    async with asyncio.timeout(10):
        while True:
            try:
                return await leases.acquire(session.id)
            except HeldElsewhereError:
                await asyncio.sleep(0.002)  # between two looks: its lease ends by the clock
