"""Leases: who holds a session, on both engines."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from server.store.database import Database
from server.store.leases import LeaseRepository, SessionMissingError, held, held_sessions
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from tests.support.leases import a_lease_repository
from tests.support.records import a_session

BOOTS = [f"01ARZ3NDEKTSV4RRFFQ69G5FA{n}" for n in range(5)]
"""Lives that began one after the other."""


def is_held(database: Database, session: Session, generation: int) -> "asyncio.Future[bool]":
    return asyncio.ensure_future(database.write(lambda connection: held(connection, session.id, generation)))


async def expire(database: Database, session: Session) -> None:
    """The time of a session's lease is over."""
    await database.write(
        lambda connection: connection.execute(
            text("UPDATE session SET owner_expires_at = 1 WHERE id = :id"), {"id": session.id}
        )
    )


@pytest.fixture
def here(database: Database) -> LeaseRepository:
    return a_lease_repository(database, "here", boot=BOOTS[2])


async def test_what_nobody_holds_is_acquired_and_is_held(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    assert await here.holders([session.id]) == {}
    generation = await here.acquire(session.id)
    assert generation == 1
    assert await here.holders([session.id, "nobody"]) == {session.id: "here"}
    assert await is_held(database, session, generation)
    assert not await is_held(database, session, generation - 1)
    assert not await is_held(database, session, generation + 1)


async def test_a_session_that_is_not_there_cannot_be_acquired(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    with pytest.raises(SessionMissingError):
        await here.acquire("nobody")
    assert not await is_held(database, replace(session, id="nobody"), 0)


async def test_an_earlier_life_of_the_same_node_is_over(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    before = await a_lease_repository(database, "here", boot=BOOTS[1]).acquire(session.id)
    assert await here.acquire(session.id) == before + 1
    assert not await is_held(database, session, before)


async def test_acquiring_again_voids_the_generation_before(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    first = await here.acquire(session.id)
    second = await here.acquire(session.id)
    assert second > first
    assert not await is_held(database, session, first)
    assert await is_held(database, session, second)
    assert await here.renew({session.id: first}) == set()
    assert await here.renew({session.id: second}) == {session.id}


async def test_what_is_released_is_free_and_its_generation_stays_used(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    first = await here.acquire(session.id)
    await here.release(session.id, first)
    assert await here.holders([session.id]) == {}
    assert not await is_held(database, session, first)
    assert await a_lease_repository(database, "other").acquire(session.id) == first + 1


async def test_a_release_of_an_older_generation_does_nothing(session: Session, here: LeaseRepository) -> None:
    first = await here.acquire(session.id)
    await here.acquire(session.id)
    await here.release(session.id, first)
    assert await here.holders([session.id]) == {session.id: "here"}


async def test_a_node_that_ends_releases_all_of_its_own_and_nothing_else(
    database: Database, sessions: SessionRepository, organization: Organization, here: LeaseRepository
) -> None:
    records = [a_session(organization.id) for _ in range(3)]
    for record in records:
        await sessions.add(record)
    other = a_lease_repository(database, "other")
    await here.acquire(records[0].id)
    await here.acquire(records[1].id)
    generation = await other.acquire(records[2].id)
    await here.release_all()
    assert await other.holders([record.id for record in records]) == {records[2].id: "other"}
    assert await is_held(database, records[2], generation)


async def test_many_leases_are_renewed_together_and_the_lost_ones_told(
    database: Database, sessions: SessionRepository, organization: Organization
) -> None:
    # given more sessions than one statement names, whose leases are about to end
    leases = a_lease_repository(database, seconds=600)
    records = [a_session(organization.id) for _ in range(601)]
    await asyncio.gather(*(sessions.add(record) for record in records))
    generations = {record.id: await leases.acquire(record.id) for record in records}
    soon = "UPDATE session SET owner_expires_at = owner_expires_at - 500000"
    await database.write(lambda connection: connection.execute(text(soon)))
    # and of which two are somebody else's by now, and one is deleted
    for record in records[:2]:
        await expire(database, record)
        await a_lease_repository(database, "other").acquire(record.id)
    await sessions.delete(records[2].id)
    ends = text("SELECT min(owner_expires_at) FROM session WHERE owner_node = 'node-1'")
    before: int = await database.read(lambda connection: connection.execute(ends).scalar_one())
    # when they are renewed
    kept = await leases.renew(generations)
    # then all but those three are held on, for longer
    assert kept == {record.id for record in records[3:]}
    assert await database.read(lambda connection: connection.execute(ends).scalar_one()) > before + 400_000


async def test_a_lease_that_ended_unnoticed_is_renewed_as_long_as_nobody_took_it(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    generation = await here.acquire(session.id)
    await expire(database, session)
    assert not await is_held(database, session, generation)
    assert await here.holders([session.id]) == {}
    assert await here.renew({session.id: generation}) == {session.id}
    assert await is_held(database, session, generation)


async def test_a_lease_whose_time_is_over_is_anybodys(
    database: Database, session: Session, here: LeaseRepository
) -> None:
    generation = await here.acquire(session.id)
    await expire(database, session)
    other = a_lease_repository(database, "other")
    assert await other.acquire(session.id) == generation + 1
    assert await here.renew({session.id: generation}) == set()


async def test_sessions_that_shall_run_and_that_nobody_holds_are_adoptable(
    database: Database,
    sessions: SessionRepository,
    organization: Organization,
    engine: str,
    here: LeaseRepository,
) -> None:
    paired = replace(a_session(organization.id, "free"), wanted=True, wa_jid="1@s.whatsapp.net")
    for record in (
        paired,
        replace(paired, id="stopped", wanted=False),
        replace(paired, id="unpaired", wa_jid=None),
        replace(paired, id="expired"),
        replace(paired, id="mine"),
        replace(paired, id="mine before"),
        replace(paired, id="other"),
    ):
        await sessions.add(record)
    other = a_lease_repository(database, "other", boot=BOOTS[4])
    await other.acquire("expired")
    await expire(database, replace(paired, id="expired"))
    await here.acquire("mine")
    await a_lease_repository(database, "here", boot=BOOTS[0]).acquire("mine before")
    await other.acquire("other")
    found = await here.adoptable(behind="", limit=10)
    assert paired in found
    theirs = {"other"} if engine == "sqlite" else set()
    assert {record.id for record in found} == {"free", "expired", "mine before", *theirs}
    assert [record.id for record in await here.adoptable(behind="expired", limit=1)] == ["free"]


async def test_fences_and_renewals_of_the_same_sessions_never_deadlock(
    database: Database, sessions: SessionRepository, organization: Organization
) -> None:
    leases = a_lease_repository(database)
    records = [a_session(organization.id) for _ in range(12)]
    for record in records:
        await sessions.add(record)
    generations = {record.id: await leases.acquire(record.id) for record in records}
    forwards = list(generations.items())
    backwards = forwards[::-1]

    def looking(these: list[tuple[str, int]]) -> Callable[[Connection], set[tuple[str, int]]]:
        return lambda connection: held_sessions(connection, these)

    for _ in range(10):
        async with asyncio.timeout(20):
            looks, renewals = await asyncio.gather(
                asyncio.gather(*(database.write(looking(these)) for these in (forwards, backwards) * 3)),
                asyncio.gather(*(leases.renew(dict(these)) for these in (forwards, backwards))),
            )
        assert looks == [set(forwards)] * 6
        assert renewals == [set(generations)] * 2
