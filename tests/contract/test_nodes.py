"""Several nodes on one PostgreSQL database and one storage for devices: each session is with one of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.errors import Code, WagateError
from server.sessions.state import Status
from server.store.database import Database
from server.store.records import Session
from server.whatsapp.memory import MemoryNetwork
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

pytestmark = pytest.mark.parametrize("engine", ["postgresql"])

NUMBER = "628110000001"
ADA = "628120000001"


class Nodes:
    """Starts nodes that share everything; each can be ended by itself."""

    def __init__(self, stack: AsyncExitStack, data_dir: Path, url: str, database: Database) -> None:
        self.network = MemoryNetwork()
        self.database = database
        self._stack = stack
        self._data_dir = data_dir
        self._url = url

    async def start(self, name: str, *, lease_seconds: float = 30.0) -> tuple[MemoryNode, AsyncExitStack]:
        """A node, and what ends it."""
        one = await self._stack.enter_async_context(AsyncExitStack())
        node = await one.enter_async_context(
            memory_node(
                self._data_dir,
                self.network,
                lease_seconds=lease_seconds,
                node_id=name,
                database_url=self._url,
            )
        )
        return node, one

    def online(self) -> int:
        """Clients that nobody has stopped."""
        return sum(not client.is_stopped for client in self.network.clients)


@pytest_asyncio.fixture
async def nodes(tmp_path: Path, database: Database, url: str) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        running = Nodes(stack, tmp_path, url, database)
        yield running
    assert running.online() == 0


async def test_a_session_of_another_living_node_is_left_alone(nodes: Nodes) -> None:
    first, _ = await nodes.start("node-1")
    second, _ = await nodes.start("node-2")
    session = await first.working(NUMBER)
    generation = first.sessions.generation(session.id)
    # what would start, stop or delete it elsewhere is refused, and says where it is
    for operation in (
        second.sessions.start,
        second.sessions.restart,
        second.sessions.stop,
        second.sessions.delete,
    ):
        with pytest.raises(WagateError) as caught:
            await operation(await second.record(session.id))
        assert caught.value.code is Code.UNAVAILABLE
        assert caught.value.details == {"gatewayId": "node-1"}
        assert "node-1" in caught.value.message
    with pytest.raises(WagateError) as refused:
        await second.send(session, ADA, "hello")
    assert refused.value.code is Code.CONFLICT
    # everybody sees who holds it
    view = await second.sessions.view(await second.record(session.id))
    assert (view.gateway_id, view.status) == ("node-1", Status.STARTING)
    (listed,) = await second.sessions.page(second.principal, after="", limit=5)
    assert listed.gateway_id == "node-1"
    # and it goes on where it is
    assert first.sessions.generation(session.id) == generation
    assert await first.status(session.id) is Status.WORKING
    assert nodes.online() == 1


async def test_a_session_that_was_stopped_on_one_node_is_started_on_another(nodes: Nodes) -> None:
    first, _ = await nodes.start("node-1")
    second, _ = await nodes.start("node-2")
    session = await first.working(NUMBER)
    await first.sessions.stop(session)
    await second.sessions.start(await second.record(session.id))
    await second.status_is(session.id, Status.WORKING)
    view = await first.sessions.view(await first.record(session.id))
    assert (view.gateway_id, view.record.wanted) == ("node-2", True)
    # what the second changed, the first one sees when it gets it back
    await second.sessions.stop(await second.record(session.id))
    assert not (await first.record(session.id)).wanted
    await first.sessions.start(await first.record(session.id))
    await first.status_is(session.id, Status.WORKING)
    assert nodes.online() == 1


async def test_when_a_node_ends_another_takes_its_sessions(nodes: Nodes) -> None:
    first, end = await nodes.start("node-1")
    session = await first.working(NUMBER)
    second, _ = await nodes.start("node-2", lease_seconds=1.0)
    assert second.sessions.generation(session.id) is None
    await end.aclose()
    await second.status_is(session.id, Status.WORKING)
    nodes.network.write(ADA, NUMBER, "hello")
    assert await second.bodies(session, ADA, 1) == ["hello"]


async def test_a_session_whose_node_is_gone_without_a_word_is_taken_when_its_lease_ends(
    nodes: Nodes,
) -> None:
    # given a session that a node holds which is not there any more
    first, end = await nodes.start("node-1")
    session = await first.working(NUMBER)
    await end.aclose()
    dead = text(
        "UPDATE session SET owner_node = 'dead', owner_boot = 'Z', "
        "owner_expires_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :left"
    )
    await nodes.database.write(lambda connection: connection.execute(dead, {"left": 1500}))
    second, _ = await nodes.start("node-2", lease_seconds=1.0)
    # then it is held by that one until its lease ends
    with pytest.raises(WagateError) as caught:
        await second.sessions.start(session)
    assert caught.value.details == {"gatewayId": "dead"}
    # and taken then
    await second.status_is(session.id, Status.WORKING)
    assert (await second.sessions.view(session)).gateway_id == "node-2"


async def test_a_node_takes_no_session_whose_keys_it_does_not_see(nodes: Nodes) -> None:
    """Nodes without shared storage: the session waits for the one that paired it."""
    first, end = await nodes.start("node-1")
    session = await first.working(NUMBER)
    await end.aclose()
    keys = first.settings.devices_dir
    await asyncio.to_thread(keys.rename, keys.with_name("elsewhere"))
    second, _ = await nodes.start("node-2", lease_seconds=1.0)
    assert nodes.online() == 0
    record = await second.record(session.id)
    assert (record.wanted, record.ending, record.wa_jid) == (True, None, session.wa_jid)
    await asyncio.to_thread(keys.with_name("elsewhere").rename, keys)
    await second.status_is(session.id, Status.WORKING)


async def test_a_node_that_was_away_too_long_stops_what_another_has_taken(
    nodes: Nodes,
) -> None:
    first, _ = await nodes.start("node-1", lease_seconds=1.5)
    second, _ = await nodes.start("node-2", lease_seconds=1.0)
    session = await first.working(NUMBER)
    client = nodes.network.clients[-1]
    # when its lease has ended before it noticed
    over = text("UPDATE session SET owner_expires_at = 1, owner_node = 'node-1', owner_boot = 'lost'")
    await nodes.database.write(lambda connection: connection.execute(over))
    # then its client ends, and one of the two goes on with the session
    await until(lambda: client.is_stopped, "the old client is stopped")

    async def one_works() -> bool:
        return sorted([await held_and_live(first, session), await held_and_live(second, session)]) == [0, 1]

    await until_async(one_works, "one of the nodes has it")
    assert nodes.online() == 1
    record = await first.repository.find(session.id)
    assert record is not None
    assert (record.wanted, record.ending) == (True, None)


async def held_and_live(node: MemoryNode, session: Session) -> int:
    return int(node.sessions.connected_client(session) is not None)
