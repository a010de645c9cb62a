"""A receiver that is down costs no memory, however much happens meanwhile."""

import tracemalloc
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from server.store.database import Database
from server.store.tables import table_of
from server.store.webhook_tables import WebhookDeliveryRow
from tests.support.couriers import Time, posting
from tests.support.events import append_many
from tests.support.receiver import answering, receiving
from tests.support.waiting import until

pytestmark = [
    pytest.mark.usefixtures("organization"),
    pytest.mark.parametrize("engine", ["sqlite"]),
]
EVENTS = 3_000
BODY = "x" * 4_000


@pytest_asyncio.fixture
async def memory() -> AsyncIterator[None]:
    """Counts what is allocated while the test runs."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def rows(database: Database) -> int:
    count: int = await database.read(
        lambda c: c.execute(select(func.count()).select_from(table_of(WebhookDeliveryRow))).scalar_one()
    )
    return count


@pytest.mark.usefixtures("memory")
async def test_what_waits_for_a_receiver_waits_in_the_log(database: Database) -> None:
    time = Time()
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering(500)
        for _ in range(20):
            await post.webhook(receiver.url)
        time.stop_at(0)
        first = await append_many(database, 100, payload={"body": BODY})
        await receiver.was_posted(20)
        receiver.received.clear()
        before, _ = tracemalloc.get_traced_memory()
        ids = [
            event
            for _ in range(EVENTS // 100)
            for event in await append_many(database, 100, payload={"body": BODY})
        ]
        time.stop_at(600)
        await until(lambda: time.passed == 600, "ten minutes have passed", within=30)
        receiver.received.clear()
        now, most = tracemalloc.get_traced_memory()
        # 12 MB of events wait for each of 20 endpoints; each holds one of them.
        assert now - before < 2_000_000
        assert most - before < 12_000_000
        assert await rows(database) == 20
        assert len(first + ids) == EVENTS + 100
