"""A database that goes away and comes back: who is told what, and what is never done twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from sqlalchemy import Connection, text

from server.auth.principal import Capability, Principal
from server.errors import Code
from server.events.realtime import Realtime
from server.rpc.websocket.closing import CloseCode
from server.rpc.websocket.seats import Seats
from server.rpc.websocket.serving import PATH, WebSocketServing
from server.sessions.state import Status
from server.store import schema
from server.store.database import Database, open_database
from server.store.failures import CommitUnknownError, DatabaseAwayError
from server.store.group_commit import GroupCommit
from server.whatsapp.memory import MemoryNetwork
from tests.support.databases import Postgres, postgres
from tests.support.events import append
from tests.support.memory_node import memory_node
from tests.support.waiting import until, until_async
from tests.support.websocket import end_of, following, take

NUMBER = "628110000001"
ADA = "628120000001"

STALL_AT_COMMIT = (
    """CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER stall AFTER INSERT ON secret DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name LIKE 'stall%') EXECUTE FUNCTION stall()""",
)
"""Makes the commit of a word that begins with "stall" take a minute."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this module's own, because it is stopped."""
    with postgres() as own:
        yield own


@pytest_asyncio.fixture
async def store(server: Postgres, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    name = f"t{abs(hash(request.node.name))}"
    database = open_database(server.create(name))
    await schema.upgrade(database)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def control(server: Postgres) -> AsyncIterator[Database]:
    """A way to the server beside the one that is tested."""
    database = open_database(server.url("postgres"))
    yield database
    await database.close()


def inserting(name: str) -> Callable[[Connection], None]:
    def insert(connection: Connection) -> None:
        connection.execute(text("INSERT INTO secret VALUES (:name, '')"), {"name": name})

    return insert


def stall_at_commit(connection: Connection) -> None:
    for statement in STALL_AT_COMMIT:
        connection.exec_driver_sql(statement)


async def names(database: Database) -> list[str]:
    statement = text("SELECT name FROM secret ORDER BY name")
    return list(await database.read(lambda connection: connection.execute(statement).scalars()))


async def cut_off(control: Database, doing: str) -> None:
    """Ends the connection that runs a statement which begins so, once there is one."""
    end = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE query LIKE :doing AND state = 'active' AND pid <> pg_backend_pid()"
    )

    async def found() -> object:
        return await control.read(lambda c: c.execute(end, {"doing": f"{doing}%"}).scalar_one())

    await until_async(found, f"{doing} runs")


async def test_while_the_server_is_stopped_callers_hear_that_nothing_was_done(
    server: Postgres, store: Database
) -> None:
    await store.write(inserting("before"))
    await asyncio.to_thread(server.stop)
    try:
        for _ in range(2):
            with pytest.raises(DatabaseAwayError) as caught:
                await store.write(inserting("meanwhile"))
            assert (caught.value.code, caught.value.retry_after) == (Code.UNAVAILABLE, 5)
            with pytest.raises(DatabaseAwayError):
                await names(store)
    finally:
        await asyncio.to_thread(server.start)
    # when it is back, everybody goes on
    await asyncio.gather(*(store.write(inserting(f"after {n}")) for n in range(20)))
    assert await names(store) == sorted(["before", *(f"after {n}" for n in range(20))])


async def test_a_transaction_that_is_cut_off_was_not_done(store: Database, control: Database) -> None:
    def work(connection: Connection) -> None:
        inserting("a")(connection)
        connection.execute(text("SELECT pg_sleep(60)"))

    writing = asyncio.create_task(store.write(work))
    await cut_off(control, "SELECT pg_sleep(60)")
    with pytest.raises(DatabaseAwayError):
        await writing
    assert await names(store) == []


async def test_of_a_commit_that_is_cut_off_nobody_knows(store: Database, control: Database) -> None:
    await store.write(stall_at_commit)
    writing = asyncio.create_task(store.write(inserting("stall")))
    await cut_off(control, "COMMIT")
    with pytest.raises(CommitUnknownError) as caught:
        await writing
    assert caught.value.code is Code.TIMEOUT
    assert caught.value.details == {"outcome": "indeterminate"}


class Words:
    """Writes words and counts how often it was asked to."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def apply(self, connection: Connection, words: Sequence[str]) -> list[str]:
        self.asked.append(list(words))
        for word in words:
            inserting(word)(connection)
        return list(words)


async def test_a_batch_whose_commit_is_cut_off_is_not_written_a_second_time(
    store: Database, control: Database
) -> None:
    await store.write(stall_at_commit)
    words = Words()
    commit = GroupCommit(store, words.apply)
    writes = [asyncio.create_task(commit.write(word)) for word in ("stall", "b", "c")]
    await cut_off(control, "COMMIT")
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [CommitUnknownError] * 3
    assert words.asked == [["stall", "b", "c"]]


async def test_a_batch_is_not_tried_one_by_one_while_the_server_is_stopped(
    server: Postgres, store: Database
) -> None:
    words = Words()
    commit = GroupCommit(store, words.apply)
    await commit.write("before")
    await asyncio.to_thread(server.stop)
    try:
        results = await asyncio.gather(*(commit.write(f"w{n}") for n in range(50)), return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseAwayError] * 50
        assert len(words.asked) <= 2
    finally:
        await asyncio.to_thread(server.start)
    assert await commit.write("after") == "after"
    assert await names(store) == ["after", "before"]


async def test_a_batch_that_is_written_one_by_one_stops_when_the_server_does(
    store: Database, control: Database
) -> None:
    words = Words()

    def apply(connection: Connection, batch: Sequence[str]) -> list[str]:
        result = words.apply(connection, batch)
        if list(batch) == ["slow"]:
            connection.execute(text("SELECT pg_sleep(60)"))
        return result

    await store.write(inserting("twice"))
    commit = GroupCommit(store, apply)
    writes = [asyncio.create_task(commit.write(word)) for word in ("a", "twice", "slow", "b", "c")]
    await cut_off(control, "SELECT pg_sleep(60)")
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert results[0] == "a"
    assert [type(result).__name__ for result in results[1:]] == ["IntegrityError", *["DatabaseAwayError"] * 3]
    assert words.asked[1:] == [["a"], ["twice"], ["slow"]]
    assert await names(store) == ["a", "twice"]


async def test_two_transactions_that_wait_for_each_other_both_come_through(store: Database) -> None:
    for name in ("a", "b"):
        await store.write(inserting(name))
    locked: set[str] = set()

    def locking(first: str, second: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            change = text("UPDATE secret SET value = value || 'x' WHERE name = :name")
            connection.execute(change, {"name": first})
            locked.add(first)
            while len(locked) < 2:
                connection.execute(text("SELECT pg_sleep(0.01)"))
            connection.execute(change, {"name": second})

        return work

    async with asyncio.timeout(20):
        await asyncio.gather(store.write(locking("a", "b")), store.write(locking("b", "a")))
    values = text("SELECT value FROM secret ORDER BY name")
    assert list(await store.read(lambda c: c.execute(values).scalars())) == [b"xx", b"xx"]


async def test_leases_do_not_wait_for_connections_that_others_have(store: Database) -> None:
    # given more slow statements than there are connections
    sleeping = text("SELECT pg_sleep(30)")
    slow = [asyncio.create_task(store.read(lambda c: c.execute(sleeping))) for _ in range(40)]
    count = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%'")

    async def all_busy() -> bool:
        return await store.write_first(lambda c: c.execute(count).scalar_one()) >= 16  # type: ignore[no-any-return] # a count

    # then this comes through
    await until_async(all_busy, "every connection is in use")
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)
    await store.write(inserting("a"))


async def test_a_statement_that_never_ends_is_given_up(store: Database) -> None:
    with pytest.raises(DatabaseAwayError):
        await store.write(lambda c: c.execute(text("SELECT pg_sleep(60)")), within=0.1)
    await store.write(inserting("a"))


async def test_a_full_disk_is_the_databases_failure_and_not_the_items(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    try:
        await schema.upgrade(database)
        words = Words()

        def apply(connection: Connection, batch: Sequence[str]) -> list[str]:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no less than what it has
            for word in batch:
                words.asked.append([word])
                connection.execute(text("INSERT INTO secret VALUES (:n, zeroblob(1000000))"), {"n": word})
            return list(batch)

        commit = GroupCommit(database, apply)
        results = await asyncio.gather(*(commit.write(word) for word in "abc"), return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseAwayError] * 3
        assert len(words.asked) <= 2
    finally:
        await database.close()


async def test_a_node_outlives_its_database_and_loses_nothing(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.chats.ingest.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("server.sessions.inbox.DRAIN_SECONDS", 0.2)
    network = MemoryNetwork()
    url = server.create("outlives")
    async with memory_node(tmp_path, network, lease_seconds=1.5, database_url=url) as node:
        session = await node.working(NUMBER)
        # given a server that goes away, and a message that comes meanwhile
        await asyncio.to_thread(server.stop)
        try:
            network.write(ADA, NUMBER, "while the database is away")
            # then the session is given up before anybody else could have it
            await until(
                lambda: (
                    node.sessions.generation(session.id) is None
                    and all(client.is_stopped for client in network.clients)
                ),
                "the session is given up",
            )
            network.write(ADA, NUMBER, "while nobody is connected")
        finally:
            await asyncio.to_thread(server.start)
        # and when it is back, the session works again and everything is stored, once
        await node.status_is(session.id, Status.WORKING)
        assert sorted(await node.bodies(session, ADA, 2)) == [
            "while nobody is connected",
            "while the database is away",
        ]
        network.write(ADA, NUMBER, "after")
        assert len(await node.bodies(session, ADA, 3)) == 3


async def test_who_follows_the_events_is_told_and_comes_back_after_the_last_one(
    server: Postgres, tmp_path: Path
) -> None:
    async with memory_node(tmp_path, MemoryNetwork(), database_url=server.create("followed")) as node:
        subscribe = partial(node.gateway.events.subscribe, node.principal, sessions=(), names=())
        async with aclosing((await subscribe(after="")).events()) as events:
            await anext(events)
            (first,) = await append(node.database, "a")
            assert (await anext(events)).id == first
            await asyncio.to_thread(server.stop)
            try:
                node.database.appended.tell([node.principal.organization_id])
                with pytest.raises(DatabaseAwayError):
                    await anext(events)
            finally:
                await asyncio.to_thread(server.start)
        (second,) = await append(node.database, "b")
        async with aclosing((await subscribe(after=first)).events()) as events:
            assert [(await anext(events)).id for _ in range(2)] == [first, second]


async def test_a_websocket_is_closed_with_later_and_its_reader_comes_back(
    server: Postgres, tmp_path: Path
) -> None:
    async with memory_node(tmp_path, MemoryNetwork(), database_url=server.create("sockets")) as node:
        key, _ = await node.keys.create(organization="acme", permissions=Capability, label="")
        principal = Principal(key.organization_id, key.id, frozenset(Capability))
        realtime = Realtime(node.gateway.events, node.tickets)
        serving = WebSocketServing(realtime, "127.0.0.1", 0, seats=Seats(10, 10))
        url = f"http://127.0.0.1:{await serving.start()}{PATH}"
        async with ClientSession() as http:
            ticket, _ = await realtime.issue(principal, sessions=(), names=())
            async with http.ws_connect(url, params={"ticket": ticket}) as client:
                begins = (await following(client))["id"]
                ticket, _ = await realtime.issue(principal, sessions=(), names=())
                await asyncio.to_thread(server.stop)
                try:
                    node.database.appended.tell([principal.organization_id])
                    assert (await end_of(client))[0] == CloseCode.LATER
                    async with http.ws_connect(url, params={"ticket": ticket}) as refused:
                        assert (await end_of(refused))[0] == CloseCode.LATER
                finally:
                    await asyncio.to_thread(server.start)
            (event_id,) = await append(node.database, "meanwhile", organization=principal.organization_id)
            # what could not be looked at is not spent
            async with http.ws_connect(url, params={"ticket": ticket, "after": begins}) as client:
                assert [event["id"] for event in await take(client, 1)] == [event_id]
        await serving.stop()
