"""The event log: pages behind an id, and what is not kept any more."""

import asyncio

from ulid import ULID

from server.clock import now_ms
from server.config import Settings
from server.events.retention import AT_A_TIME, Retention
from server.rounds import Rounds
from server.store.database import Database
from server.store.event_log import EventLog, id_before
from server.store.events import BEFORE_ALL, PREFIX
from server.store.records import Organization
from tests.support.events import append, append_many
from tests.support.waiting import until

DAY = 24 * 60 * 60 * 1000


async def test_a_log_without_events_says_so(database: Database, organization: Organization) -> None:
    page = await EventLog(database).page(organization.id, after=BEFORE_ALL, limit=10)
    assert (page.events, page.last_id, page.forgotten_id) == ((), BEFORE_ALL, BEFORE_ALL)
    assert await EventLog(database).heads() == {}


async def test_pages_lie_behind_an_id_and_end_at_the_limit(
    database: Database, organization: Organization
) -> None:
    log = EventLog(database)
    ids = await append(database, "a", "b", "c", session="s", payload={"n": [1, None, "é"]})
    page = await log.page(organization.id, after=BEFORE_ALL, limit=2)
    assert [(e.id, e.name, e.session_id, e.timestamp, e.payload) for e in page.events] == [
        (ids[0], "a", "s", 1, {"n": [1, None, "é"]}),
        (ids[1], "b", "s", 1, {"n": [1, None, "é"]}),
    ]
    assert page.last_id == ids[2]
    assert [e.id for e in (await log.page(organization.id, after=ids[1], limit=2)).events] == [ids[2]]
    assert (await log.page(organization.id, after=ids[2], limit=2)).events == ()
    assert (await log.page(organization.id, after=BEFORE_ALL, limit=0)).events == ()


async def test_another_organizations_log_is_another_one(
    database: Database, organization: Organization
) -> None:
    log = EventLog(database)
    ids = await append(database, "a")
    assert (await log.page("other", after=BEFORE_ALL, limit=10)).events == ()
    assert await log.heads() == {organization.id: ids[0]}
    assert await log.heads(["other"]) == {}


async def test_what_was_forgotten_is_remembered_also_when_nothing_is_left(
    database: Database, organization: Organization
) -> None:
    log = EventLog(database)
    ids = await append(database, "a", "b", "c")
    assert await log.forget(organization.id, until=ids[1], limit=1) == 1
    page = await log.page(organization.id, after=BEFORE_ALL, limit=10)
    assert ([e.id for e in page.events], page.forgotten_id) == (ids[1:], ids[0])
    assert await log.forget(organization.id, until=id_before(now_ms() + 60_000), limit=10) == 2
    assert await log.forget(organization.id, until=ids[2], limit=10) == 0
    page = await log.page(organization.id, after=ids[0], limit=10)
    assert (page.events, page.last_id, page.forgotten_id) == ((), ids[2], ids[2])
    (new,) = await append(database, "d")
    assert new > ids[2]
    page = await log.page(organization.id, after=ids[0], limit=10)
    assert ([e.id for e in page.events], page.forgotten_id) == ([new], ids[2])


async def test_two_nodes_may_forget_at_the_same_time(database: Database, organization: Organization) -> None:
    log = EventLog(database)
    ids = await append_many(database, 60)
    await asyncio.gather(*(log.forget(organization.id, until=ids[49], limit=10) for _ in range(8)))
    while await log.forget(organization.id, until=ids[49], limit=10):
        pass
    page = await log.page(organization.id, after=BEFORE_ALL, limit=100)
    assert ([e.id for e in page.events], page.forgotten_id) == (ids[50:], ids[49])


async def test_retention_keeps_so_many(database: Database, organization: Organization) -> None:
    log = EventLog(database)
    ids = await append_many(database, AT_A_TIME + 20)
    await Retention(Settings(event_count=5), log).round()
    page = await log.page(organization.id, after=BEFORE_ALL, limit=100)
    assert ([e.id for e in page.events], page.forgotten_id) == (ids[-5:], ids[-6])
    await Retention(Settings(event_count=5), log).round()
    assert (await log.page(organization.id, after=BEFORE_ALL, limit=100)) == page


async def test_retention_keeps_for_so_long(database: Database, organization: Organization) -> None:
    log = EventLog(database)
    ids = await append(database, "old", "old too")
    written = ULID.from_str(ids[1].removeprefix(PREFIX)).milliseconds
    await until(lambda: now_ms() > written + 2, "the clock goes on")
    (new,) = await append(database, "new")
    await Retention(Settings(event_days=2), log, clock=lambda: written + 2 * DAY).round()
    assert len((await log.page(organization.id, after=BEFORE_ALL, limit=10)).events) >= 2
    await Retention(Settings(event_days=2), log, clock=lambda: written + 2 * DAY + 1).round()
    page = await log.page(organization.id, after=BEFORE_ALL, limit=10)
    assert ([e.id for e in page.events], page.forgotten_id) == ([new], ids[1])


async def test_retention_goes_on_in_the_background(database: Database, organization: Organization) -> None:
    log = EventLog(database)
    ids = await append(database, "a", "b")
    rounds = Rounds({"forget": Retention(Settings(event_count=1), log).round}, every=0.001)
    forgotten: list[str] = []
    rounds.open()
    try:
        async with asyncio.timeout(10):
            while ids[0] not in forgotten:
                page = await log.page(organization.id, after=BEFORE_ALL, limit=10)
                forgotten.append(page.forgotten_id)
    finally:
        await rounds.close()


async def test_who_listens_is_told_after_the_commit(database: Database, organization: Organization) -> None:
    log = EventLog(database)
    told: list[str] = []
    log.listen(told.extend)
    await append(database, "a")
    await until(lambda: told == [organization.id], "the listener is told")
    await log.heads()
    assert told == [organization.id]
