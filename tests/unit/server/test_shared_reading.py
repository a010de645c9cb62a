"""Many readers at the end of one log."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from hypothesis import given
from hypothesis import strategies as st

from server.events.bells import Bell, Bells
from server.events.reading import SharedReading
from server.events.service import Events
from server.store.event_log import EventLog, EventPage, StoredEvent
from server.store.events import BEFORE_ALL
from tests.support.events import append
from tests.support.memory_node import MemoryNode
from tests.support.waiting import one_turn, until

READERS = 50


class ListedLog(EventLog):
    """A log that is a list, so that many histories can be tried."""

    def __init__(self) -> None:
        self.ever: list[StoredEvent] = []
        self.forgotten = BEFORE_ALL

    def append(self, count: int) -> None:
        for _ in range(count):
            event_id = f"evt_{len(self.ever) + 1:026d}"
            self.ever.append(StoredEvent("org", event_id, None, "tick", 1, {}))

    def forget_first(self, count: int) -> None:
        ids = [event.id for event in self.ever[:count]]
        self.forgotten = max([self.forgotten, *ids])

    async def page(self, organization: str, *, after: str, limit: int) -> EventPage:
        assert organization == "org"
        kept = [event for event in self.ever if event.id > max(after, self.forgotten)]
        last_id = self.ever[-1].id if self.ever else BEFORE_ALL
        return EventPage(tuple(kept[:limit]), last_id, self.forgotten)


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


async def test_a_wait_may_end_by_itself_and_leaves_nothing() -> None:
    bell = Bell(itertools.count())
    now = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        await bell.wait(bell.rung, until=now + 0.001)
    bell.ring()  # finds nobody


async def test_readers_that_fall_behind_hold_what_the_others_hold(node: MemoryNode) -> None:
    """They do not ask the log again, and get everything that came since in one go."""
    log = CountedLog(node.database)
    reading = SharedReading(log)
    organization, bells = "org", Bells()
    with bells.listening(organization) as bell:
        begin = await reading.behind(bell, organization, after=BEFORE_ALL, rung=bell.rung)
        assert (list(begin.events), begin.is_end) == ([], True)
        held: list[StoredEvent] = []
        for name in ("a", "b", "c"):
            (event_id,) = await append(node.database, name)
            bell.ring()
            after = held[-1].id if held else BEFORE_ALL
            stretch = await reading.behind(bell, organization, after=after, rung=bell.rung)
            assert [event.id for event in stretch.events] == [event_id]
            assert stretch.is_end
            held += stretch.events
        reads = log.reads
        behind = await reading.behind(bell, organization, after=BEFORE_ALL, rung=bell.rung)
        assert all(one is other for one, other in zip(behind.events, held, strict=True))
        middle = await reading.behind(bell, organization, after=held[1].id, rung=bell.rung)
        assert middle.events[0] is held[2]
        end = await reading.behind(bell, organization, after=held[2].id, rung=bell.rung)
        assert (list(end.events), end.is_end) == ([], True)
        assert log.reads == reads
        # what may have been appended since is looked for
        (event_id,) = await append(node.database, "d")
        bell.ring()
        late = await reading.behind(bell, organization, after=held[0].id, rung=bell.rung)
        assert ([event.id for event in late.events], late.is_end) == ([e.id for e in held[1:]], False)
        last = await reading.behind(bell, organization, after=held[2].id, rung=bell.rung)
        assert ([event.id for event in last.events], last.is_end) == ([event_id], True)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 130)),
            st.tuples(st.just("forget"), st.integers(0, 400)),
            st.tuples(st.just("read"), st.integers(0, 4)),
        ),
        max_size=60,
    )
)
def test_every_reader_gets_every_event_or_is_told(steps: list[tuple[str, int]]) -> None:
    """Whoever reads, in whatever order, gets the log's events in its order, each once, and hears of gaps."""

    async def run() -> None:
        log, bells = ListedLog(), Bells()
        reading = SharedReading(log)
        cursors = [BEFORE_ALL] * 5

        async def read(number: int) -> bool:
            after = cursors[number]
            stretch = await reading.behind(bell, "org", after=after, rung=bell.rung)
            got = [event.id for event in stretch.events]
            wanted = [event.id for event in log.ever if event.id > after]
            if stretch.forgotten_id > after:
                assert stretch.forgotten_id == log.forgotten
                wanted = [event_id for event_id in wanted if event_id > stretch.forgotten_id]
            assert got == wanted[: len(got)]
            assert stretch.is_end <= (len(got) == len(wanted))
            cursors[number] = max([after, *got, *[stretch.forgotten_id]])
            return stretch.is_end

        with bells.listening("org") as bell:
            for what, number in steps:
                if what == "append":
                    log.append(number)
                    bell.ring()
                elif what == "forget":
                    log.forget_first(number)
                else:
                    await read(number)
            for number in range(5):
                while not await read(number):
                    pass
                assert not log.ever or cursors[number] == log.ever[-1].id

    asyncio.run(run())
