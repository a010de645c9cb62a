"""Many readers at the end of one log."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from server.events.bells import Bell, Bells
from server.events.service import Events
from server.store.event_log import EventLog, EventPage, StoredEvent
from tests.support.events import append
from tests.support.memory_node import MemoryNode
from tests.support.waiting import one_turn, until

READERS = 50


class CountedLog(EventLog):
    """Counts how often a page is read."""

    reads = 0

    async def page(self, organization: str, *, after: str, limit: int) -> EventPage:
        """See `EventLog`."""
        self.reads += 1
        return await super().page(organization, after=after, limit=limit)


async def test_readers_that_wait_at_the_end_share_what_they_read(node: MemoryNode) -> None:
    log = CountedLog(node.database)
    events = Events(log, node.sessions)
    got: list[str] = []

    async def wait(stream: AsyncGenerator[StoredEvent, None]) -> None:
        got.append((await anext(stream)).id)

    async with AsyncExitStack() as stack:
        streams = []
        for _ in range(READERS):
            subscription = await events.subscribe(node.principal, after="", sessions=(), names=())
            stream = await stack.enter_async_context(aclosing(subscription.events()))
            await anext(stream)
            streams.append(stream)
        waiting = [asyncio.create_task(wait(stream)) for stream in streams]
        # all have found nothing, and wait for the bell
        await until(lambda: log.reads == READERS + 1, "they share the first look too")
        (event_id,) = await append(node.database, "a")
        await asyncio.gather(*waiting)
    assert got == [event_id] * READERS
    assert log.reads <= READERS + 4


async def test_a_ring_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell(itertools.count())
    seen = bell.rung
    bell.ring()
    async with asyncio.timeout(1):
        await bell.wait(seen)


async def test_one_ring_wakes_everybody_once() -> None:
    bells = Bells()
    with bells.listening("a") as bell, bells.listening("a") as same, bells.listening("b") as other:
        assert bell is same
        waiting = [asyncio.create_task(bell.wait(bell.rung)) for _ in range(3)]
        elsewhere = asyncio.create_task(other.wait(other.rung))
        await one_turn()
        bells.ring(["a", "nobody's"])
        await asyncio.gather(*waiting)
        again = asyncio.create_task(bell.wait(bell.rung))
        await one_turn()
        assert not again.done()
        assert not elsewhere.done()
        for task in (again, elsewhere):
            task.cancel()
    assert not bells.organizations
