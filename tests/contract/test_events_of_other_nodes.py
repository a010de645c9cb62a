"""Following what another node appends to the shared database."""

from contextlib import aclosing
from pathlib import Path

from server.events.subscription import HEARTBEAT
from server.store.database import Database
from server.whatsapp.memory import MemoryNetwork
from tests.support.events import append
from tests.support.memory_node import memory_node


async def test_another_nodes_events_come_too(tmp_path: Path, database: Database, url: str) -> None:
    async with memory_node(tmp_path, MemoryNetwork(), database_url=url) as node:
        subscription = await node.gateway.events.subscribe(node.principal, after="", sessions=(), names=())
        async with aclosing(subscription.events()) as events:
            assert (await anext(events)).name == HEARTBEAT
            for _ in range(3):  # the first look tells nothing yet about what is new
                ids = await append(database, "far")
                event = await anext(events)
                assert (event.id, event.name) == (ids[0], "far")
