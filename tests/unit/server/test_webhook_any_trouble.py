"""Whatever receivers do, and whenever the node dies: every event is taken or given up, in order."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.delivery_records import DeliveryState
from server.store.records import Organization
from server.store.webhooks import Webhook
from tests.support.couriers import Post, Time, abandon, posting
from tests.support.events import append_many
from tests.support.receiver import Received, Receiver, receiving, resetting
from tests.support.waiting import until_async

EVENTS = 6
KILL_BEFORE, KILL_AFTER = "the node dies before the answer", "the node dies at the answer"
FATES = st.sampled_from([200, 204, 500, 503, 422, 404, "reset", KILL_BEFORE, KILL_AFTER])


class Fate:
    """Does with each POST what is next; takes it when nothing is left.

    Attributes:
        died: the node is to die now.
    """

    def __init__(self, fates: Sequence[object]) -> None:
        self._fates: Iterator[object] = iter(fates)
        self.died = asyncio.Event()

    async def __call__(self, request: web.Request, received: Received) -> web.StreamResponse:
        fate = next(self._fates, 200)
        if fate == "reset":
            return await resetting(request, received)
        if fate in {KILL_BEFORE, KILL_AFTER}:
            self.died.set()
        if fate == KILL_BEFORE:
            await asyncio.Event().wait()
        return web.Response(status=fate if isinstance(fate, int) else 200)


async def is_settled(post: Post, webhook: Webhook, ids: Sequence[str]) -> bool:
    """Whether nothing is left to be tried."""
    listed = await post.listed(webhook)
    return {d.event_id for d in listed if d.state is not DeliveryState.PENDING} >= set(ids)


async def lives(database: Database, receiver: Receiver, fate: Fate, attempts: int) -> None:
    """Runs one node after the other until every event is settled."""
    time = Time()
    async with posting(database, time=time) as post:
        webhook = await post.webhook(receiver.url, attempts=attempts)
    ids = await append_many(database, EVENTS)
    settled = False
    while not settled:
        fate.died.clear()
        async with posting(database, time=time, patience_seconds=900) as post:
            await until_async(partial(goes_no_further, post, webhook, ids, fate), "it is over", within=60)
            settled = await is_settled(post, webhook, ids)
            await abandon(post.courier)
    given_up = [d.event_id for d in await post.listed(webhook, DeliveryState.DEAD)]
    first = list(dict.fromkeys(receiver.taken))
    assert set(first) | set(given_up) == set(ids), "nothing is left out"
    assert first == sorted(first), "nothing overtakes"
    tried = list(dict.fromkeys(received.event_id for received in receiver.received))
    assert tried == ids, "each event is tried before any behind it"


async def goes_no_further(post: Post, webhook: Webhook, ids: Sequence[str], fate: Fate) -> bool:
    """Whether the node is to die, or has nothing left to do."""
    return fate.died.is_set() or await is_settled(post, webhook, ids)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fates=st.lists(FATES, max_size=25), attempts=st.integers(1, 3))
def test_every_event_is_settled_in_order_whatever_happens(fates: Sequence[object], attempts: int) -> None:
    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(f"sqlite:///{Path(folder) / 'store.db'}")
            try:
                await schema.upgrade(database)
                await ApiKeyRepository(database).organization(Organization("org", "acme", 1))
                async with receiving() as receiver:
                    fate = Fate(fates)
                    receiver.behaves = fate
                    await lives(database, receiver, fate, attempts)
            finally:
                await database.close()

    asyncio.run(story())
