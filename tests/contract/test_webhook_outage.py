"""The database goes away while webhooks are told: nothing is told twice, and nothing is left out."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from aiohttp import web

from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.records import Organization
from tests.support.couriers import posting
from tests.support.databases import Postgres, postgres
from tests.support.events import append
from tests.support.receiver import Received, answering, receiving


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this module's own, because it is stopped."""
    with postgres() as own:
        yield own


@pytest_asyncio.fixture
async def store(server: Postgres) -> AsyncIterator[Database]:
    database = open_database(server.create("webhooks"))
    await schema.upgrade(database)
    await ApiKeyRepository(database).organization(Organization("org", "acme", 1))
    yield database
    await database.close()


async def test_a_database_that_goes_away_in_the_middle_of_a_post_loses_and_repeats_nothing(
    server: Postgres, store: Database
) -> None:
    stopped = asyncio.Event()

    async def stop_and_take(_request: web.Request, received: Received) -> web.StreamResponse:
        if received.event["event"] == "b" and not stopped.is_set():
            await asyncio.to_thread(server.stop)
            stopped.set()
        return web.Response()

    async with posting(store, timeout_seconds=30) as post, receiving() as receiver:
        receiver.behaves = stop_and_take
        await post.webhook(receiver.url)
        ids = await append(store, "a")
        await receiver.took(ids)
        ids += await append(store, "b")
        await asyncio.wait_for(stopped.wait(), 30)
        receiver.behaves = answering(200)
        await asyncio.to_thread(server.start)
        ids += await append(store, "c", "d")
        await receiver.took(ids)
