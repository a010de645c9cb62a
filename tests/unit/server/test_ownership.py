"""A node and its leases: what it holds it runs, what it does not hold it does not run."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.errors import Code, WagateError
from server.sessions import adoption
from server.sessions.ownership import USABLE, Ownership
from server.sessions.state import Status
from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.failures import DatabaseAwayError
from server.store.leases import LeaseRepository
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from server.whatsapp.incoming import Repeated
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.port import Ending
from tests.support.leases import a_lease_repository
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.records import a_session
from tests.support.waiting import until

NUMBER = "628110000001"
ADA = "628120000001"
SECONDS = 30.0


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class SwitchableLeases(LeaseRepository):
    """Leases whose database can be away."""

    away = False

    async def renew(self, generations: dict[str, int]) -> set[str]:  # type: ignore[override] # narrower is enough here
        if self.away:
            raise DatabaseAwayError
        return await super().renew(generations)

    async def release(self, session_id: str, generation: int) -> None:
        if self.away:
            raise DatabaseAwayError
        await super().release(session_id, generation)


class Holder:
    """An ownership whose time passes by hand."""

    def __init__(self, database: Database, session: Session) -> None:
        self.clock = Clock()
        self.lost: list[tuple[str, int]] = []
        self.leases = SwitchableLeases(database, node="here", boot="0" * 26, seconds=SECONDS)
        self.database = database
        self.session = session
        self.ownership = Ownership(
            self.leases,
            seconds=SECONDS,
            lost=lambda session_id, generation: self.lost.append((session_id, generation)),
            clock=self.clock,
        )

    def generation(self) -> int | None:
        return self.ownership.generation(self.session.id)


@pytest_asyncio.fixture
async def holder(tmp_path: Path) -> AsyncIterator[Holder]:
    database = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    await schema.upgrade(database)
    organization = await ApiKeyRepository(database).organization(Organization("org", "acme", 1))
    session = a_session(organization.id)
    await SessionRepository(database).add(session)
    yield Holder(database, session)
    await database.close()


async def test_a_lease_is_given_up_before_it_ends_unless_it_is_renewed(holder: Holder) -> None:
    generation = await holder.ownership.acquire(holder.session.id)
    assert holder.generation() == generation
    holder.clock.now += SECONDS * USABLE - 0.1
    holder.ownership.watch()
    assert holder.generation() == generation
    assert await holder.ownership.renew()
    holder.clock.now += SECONDS * USABLE - 0.1
    holder.ownership.watch()
    assert holder.generation() == generation
    holder.clock.now += 0.2
    # then nothing may be sent at once, whenever somebody looks
    assert holder.generation() is None
    holder.ownership.watch()
    assert holder.lost == [(holder.session.id, generation)]
    holder.ownership.watch()
    assert len(holder.lost) == 1


async def test_a_database_that_is_away_for_a_moment_costs_nothing(holder: Holder) -> None:
    generation = await holder.ownership.acquire(holder.session.id)
    holder.leases.away = True
    for _ in range(3):
        assert not await holder.ownership.renew()
        holder.clock.now += 6
    holder.leases.away = False
    assert await holder.ownership.renew()
    holder.clock.now += SECONDS * USABLE - 1
    holder.ownership.watch()
    assert (holder.generation(), holder.lost) == (generation, [])


async def test_what_another_node_took_is_lost_at_the_next_renewal(holder: Holder) -> None:
    generation = await holder.ownership.acquire(holder.session.id)
    other = a_lease_repository(holder.database, "other")
    await other.acquire(holder.session.id)
    assert await holder.ownership.renew()
    assert (holder.generation(), holder.lost) == (None, [(holder.session.id, generation)])


async def test_what_is_released_while_the_database_is_away_is_not_held_any_more(holder: Holder) -> None:
    await holder.ownership.acquire(holder.session.id)
    holder.leases.away = True
    await holder.ownership.release(holder.session.id)
    await holder.ownership.release(holder.session.id)
    assert (holder.generation(), holder.lost) == (None, [])
    assert await holder.leases.holders([holder.session.id]) == {holder.session.id: "here"}


async def take_away(node: MemoryNode, session: Session) -> int:
    """Another node has acquired a session; returns its generation."""
    return await a_lease_repository(node.database, "node-2").acquire(session.id)


@pytest_asyncio.fixture
async def quick(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[MemoryNode]:
    """A node whose leases last for a second."""
    async with memory_node(tmp_path, network, lease_seconds=1.0) as node:
        yield node


async def test_a_session_that_runs_is_held_and_one_that_does_not_is_not(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    first = node.sessions.generation(session.id)
    assert first is not None
    assert (await node.sessions.view(session)).gateway_id == "node-1"
    # a restart keeps the lease
    await node.sessions.restart(session)
    assert node.sessions.generation(session.id) == first
    await node.status_is(session.id, Status.WORKING)
    # a stop gives it back
    await node.sessions.stop(session)
    assert node.sessions.generation(session.id) is None
    assert (await node.sessions.view(session)).gateway_id == ""
    await node.sessions.start(session)
    again = node.sessions.generation(session.id)
    assert again is not None
    assert again > first
    # and so does an ending that WhatsApp brought about
    await node.status_is(session.id, Status.WORKING)
    network.unlink(NUMBER)
    await node.status_is(session.id, Status.LOGGED_OUT)
    await until(lambda: node.sessions.generation(session.id) is None, "it is not held")


async def test_a_lease_that_is_lost_stops_the_client_and_leaves_the_record_alone(
    quick: MemoryNode, network: MemoryNetwork
) -> None:
    session = await quick.working(NUMBER)
    client = network.clients[-1]
    # when another node takes the session
    await take_away(quick, session)
    # then this one's client is stopped
    await until(lambda: client.is_stopped, "the client is stopped")
    assert quick.sessions.generation(session.id) is None
    with pytest.raises(WagateError) as caught:
        await quick.send(session, ADA, "hello")
    assert caught.value.code is Code.CONFLICT
    # and the other one's session is as it was
    record = await quick.repository.find(session.id)
    assert record is not None
    assert (record.wanted, record.ending) == (True, None)


async def test_whatsapp_ending_a_session_that_moved_on_does_not_end_it_there(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    """The other node's connection makes WhatsApp end this one's as replaced."""
    session = await node.working(NUMBER)
    await take_away(node, session)
    network.clients[-1].end(Ending.REPLACED)
    await until(lambda: network.clients[-1].is_stopped, "the client is stopped")
    record = await node.repository.find(session.id)
    assert record is not None
    assert (record.wanted, record.ending) == (True, None)


async def test_while_the_database_does_not_answer_the_client_is_stopped_and_comes_back_after(
    quick: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await quick.working(NUMBER)
    before = quick.sessions.generation(session.id)
    client = network.clients[-1]

    async def away(*_: object) -> set[str]:
        raise DatabaseAwayError

    with monkeypatch.context() as patched:
        patched.setattr(LeaseRepository, "renew", away)
        patched.setattr(LeaseRepository, "adoptable", away)
        await until(lambda: client.is_stopped, "the client is stopped")
        assert quick.sessions.connected_client(session) is None
    await quick.status_is(session.id, Status.WORKING)
    after = quick.sessions.generation(session.id)
    assert before is not None
    assert after is not None
    assert after > before


async def test_a_node_takes_over_what_another_left_behind(quick: MemoryNode, network: MemoryNetwork) -> None:
    # given a session that another node held and that shall be connected
    session = await quick.working(NUMBER)
    await quick.sessions.stop(session)
    await quick.repository.update(session.id, {"wanted": True})
    # then this one starts it by itself
    await quick.status_is(session.id, Status.WORKING)
    assert [client.is_stopped for client in network.clients] == [True, False]


async def test_a_node_takes_over_a_bounded_number_at_a_time(
    tmp_path: Path, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PER_ROUND", 3)
    async with memory_node(tmp_path, network) as node:
        started: list[str] = []

        async def start(record: Session) -> bool:
            if record.id == "S1":
                return False
            if record.id == "S5":
                raise WagateError(Code.UNAVAILABLE, "another node was faster")
            await leases.acquire(record.id)
            started.append(record.id)
            return True

        async def tell(_record: Session) -> None:
            raise AssertionError("rounds tell of nobody")

        for number in range(8):
            record = a_session("org", f"S{number}")
            await node.repository.add(record)
            await node.repository.update(record.id, {"wanted": True, "wa_jid": f"{number}@s.whatsapp.net"})
        leases = a_lease_repository(node.database, "node-2")
        taking = adoption.Adoption(leases, start, tell, seconds=60)
        assert [await taking.round() for _ in range(4)] == [2, 2, 2, 0]
        assert started == ["S0", "S2", "S3", "S4", "S6", "S7"]


async def test_a_node_that_ends_leaves_its_sessions_free_at_once(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
    database = open_database(node.settings.database)
    try:
        count = text("SELECT count(*) FROM session WHERE owner_boot IS NOT NULL")
        assert await database.read(lambda connection: connection.execute(count).scalar_one()) == 0
        (left,) = await a_lease_repository(database, "node-2").adoptable(behind="", limit=5)
        assert left.id == session.id
    finally:
        await database.close()


async def test_what_had_arrived_before_a_lease_was_lost_is_stored_later(
    quick: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WhatsApp has been told that it was received: it does not deliver it to the next node."""
    monkeypatch.setattr("server.sessions.inbox.DRAIN_SECONDS", 0.05)
    session = await quick.working(NUMBER)
    may_store = asyncio.Event()
    ordinary = quick.ingest.ordinary

    async def slow(record: Session, received: object) -> Sequence[Repeated]:
        await may_store.wait()
        return await ordinary(record, received)  # type: ignore[arg-type] # passed on as it came

    quick.use_ingest(session, slow)
    network.write(ADA, NUMBER, "precious")
    client = network.clients[-1]
    # given a session that goes to another node while the database takes nothing
    await take_away(quick, session)
    stay = text("UPDATE session SET wanted = false WHERE id = :id")
    await quick.database.write(lambda connection: connection.execute(stay, {"id": session.id}))
    await until(lambda: client.is_stopped, "the client is stopped")
    # when the database is back
    may_store.set()
    # then this node stores what it had
    assert await quick.bodies(session, ADA, 1) == ["precious"]
