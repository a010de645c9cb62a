"""Several nodes, nodes that end, and a log of deliveries that does not grow for ever."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from ulid import ULID

from server.config import Settings
from server.events.webhooks.trimming import AT_A_TIME, Trimming
from server.store.database import Database, open_database
from server.store.delivery_records import DeliveryState
from server.store.life import Life
from server.store.webhook_cursors import Streak, WebhookCursorRepository
from server.store.webhook_deliveries import (
    Outcome,
    Progress,
    Stored,
    Tried,
    WebhookDeliveryRepository,
)
from server.store.webhooks import Webhook, WebhookRepository
from tests.support.couriers import posting
from tests.support.events import append, append_many
from tests.support.receiver import receiving
from tests.support.records import a_webhook
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("organization")
SHARED = pytest.mark.parametrize("engine", ["postgresql"])
"""A file is one process's."""
DAY = 24 * 60 * 60 * 1000


def cursors(database: Database, node: str, *, seconds: float = 30.0) -> WebhookCursorRepository:
    """Those of a node's life that begins now."""
    return WebhookCursorRepository(database, Life(node, str(ULID()), seconds))


async def a_stored_webhook(database: Database, *, active: bool = True) -> Webhook:
    stored = await WebhookRepository(database).add(a_webhook(active=active), limit=1000)
    assert stored is not None
    return stored


def tried(webhook: Webhook, event_id: str, state: Stored, *, at: int = 1) -> Tried:
    """An event that was tried once."""
    return Tried(webhook.id, event_id, "message", None, state, 1, 200, None, at, at, None, b"{}")


@SHARED
async def test_an_endpoint_is_worked_by_one_node(database: Database) -> None:
    webhook = await a_stored_webhook(database)
    await a_stored_webhook(database, active=False)
    first, second = cursors(database, "one"), cursors(database, "two")
    (held,) = await first.take(limit=10)
    assert (held.webhook_id, held.generation) == (webhook.id, 1)
    assert await second.take(limit=10) == ()
    assert await second.renew({webhook.id: 1}) == {}
    assert await first.renew({webhook.id: 1}) == {webhook.id: 1}
    assert await second.in_force(webhook.id, 2) is None
    assert await first.in_force(webhook.id, 1) == webhook
    await first.release(webhook.id, 1)
    assert await first.in_force(webhook.id, 1) is None
    (held,) = await second.take(limit=10)
    assert held.generation == 2
    await second.release_all()
    (held,) = await first.take(limit=10)
    assert held.generation == 3


async def test_a_lease_that_has_run_out_is_anybodys_and_its_holders_writes_are_refused(
    database: Database,
) -> None:
    webhook = await a_stored_webhook(database)
    deliveries = WebhookDeliveryRepository(database)
    gone, heir = cursors(database, "one", seconds=0.001), cursors(database, "two")
    (held,) = await gone.take(limit=10)
    ids = await append(database, "a")
    outcome = Outcome(webhook.id, held.generation, Progress(ids[0], Streak()), None)

    async def refused() -> bool:
        return not await deliveries.settle(outcome)

    async with asyncio.timeout(10):
        while not await refused():
            pass
    (heirs,) = await heir.take(limit=10)
    assert heirs.generation == held.generation + 1
    assert not await deliveries.settle(outcome)
    late = Outcome(webhook.id, held.generation, None, tried(webhook, ids[0], Stored.DEAD))
    assert not await deliveries.settle(late)
    assert await deliveries.page(webhook.id, state=None, before="", limit=10) == []


async def test_many_new_endpoints_are_taken_in_portions(database: Database) -> None:
    made = [(await a_stored_webhook(database)).id for _ in range(25)]
    node = cursors(database, "one")
    taken: list[str] = []
    while portion := await node.take(limit=10):
        taken += [held.webhook_id for held in portion]
    assert sorted(taken) == sorted(made)
    assert set(await node.renew(dict.fromkeys(made, 1))) == set(made)


@SHARED
async def test_two_nodes_that_take_at_the_same_time_share(database: Database) -> None:
    made = {(await a_stored_webhook(database)).id for _ in range(40)}
    nodes = [cursors(database, f"node-{number}") for number in range(4)]

    async def take(node: WebhookCursorRepository) -> list[str]:
        found: list[str] = []
        while portion := await node.take(limit=3):
            found += [held.webhook_id for held in portion]
        return found

    taken = [name for found in await asyncio.gather(*map(take, nodes)) for name in found]
    assert len(taken) == len(set(taken))
    left = await nodes[0].take(limit=100)
    assert set(taken) | {held.webhook_id for held in left} == made


@SHARED
async def test_when_a_node_vanishes_another_one_goes_on(url: str, database: Database) -> None:
    other = open_database(url)
    async with AsyncExitStack() as stack, receiving() as receiver:
        stack.push_async_callback(other.close)
        vanishing = await stack.enter_async_context(posting(database, node="vanishing", lease_seconds=1))
        await vanishing.webhook(receiver.url)
        ids = await append(database, "a")
        await receiver.took(ids)
        staying = await stack.enter_async_context(posting(other, node="staying", lease_seconds=1))
        # It neither renews nor gives back, as a process that was killed.
        rounds = vanishing.courier._rounds  # noqa: SLF001 - nothing in the product does this
        assert rounds is not None
        rounds.cancel()
        await until(lambda: staying.courier.working == 1, "the other one has it")
        ids += await append(database, "b")
        await until(lambda: ids[1] in receiver.taken, "it comes")
        assert receiver.taken == ids


async def test_old_deliveries_are_forgotten(database: Database) -> None:
    webhook = await a_stored_webhook(database)
    deliveries = WebhookDeliveryRepository(database)
    (held,) = await cursors(database, "one").take(limit=1)
    ids = await append_many(database, 4)
    states = (Stored.DELIVERED, Stored.DEAD, Stored.PENDING, Stored.REDRIVEN)
    for event_id, state in zip(ids, states, strict=True):
        row = tried(webhook, event_id, state, at=1_000)
        assert await deliveries.settle(Outcome(webhook.id, held.generation, None, row))
    trimming = Trimming(
        Settings(webhook_log_days=1, webhook_dead_days=2), deliveries, clock=lambda: 1_001 + 1 * DAY
    )
    await trimming.round()
    left = await deliveries.page(webhook.id, state=None, before="", limit=10)
    assert [delivery.event_id for delivery in left] == [ids[3], ids[2], ids[1]]
    trimming = Trimming(
        Settings(webhook_log_days=1, webhook_dead_days=2), deliveries, clock=lambda: 1_001 + 2 * DAY
    )
    await trimming.round()
    left = await deliveries.page(webhook.id, state=None, before="", limit=10)
    assert [delivery.state for delivery in left] == [DeliveryState.PENDING] * 2, "those are still tried"


async def test_so_many_deliveries_are_kept_and_as_many_dead_letters(database: Database) -> None:
    webhook = await a_stored_webhook(database)
    deliveries = WebhookDeliveryRepository(database)
    (held,) = await cursors(database, "one").take(limit=1)
    ids = await append_many(database, AT_A_TIME + 20)
    settle = [
        deliveries.settle(
            Outcome(
                webhook.id,
                held.generation,
                None,
                tried(webhook, event_id, Stored.DEAD if number % 2 else Stored.DELIVERED, at=2**50),
            )
        )
        for number, event_id in enumerate(ids)
    ]
    assert all(await asyncio.gather(*settle))
    await Trimming(Settings(webhook_log_count=5), deliveries).round()
    left = await deliveries.page(webhook.id, state=None, before="", limit=100)
    assert [delivery.event_id for delivery in left] == ids[:-11:-1]
    page = await deliveries.page(webhook.id, state=DeliveryState.DEAD, before=left[1].id, limit=2)
    assert [delivery.event_id for delivery in page] == [left[2].event_id, left[4].event_id]


async def test_deliveries_go_with_their_webhook(database: Database) -> None:
    webhook = await a_stored_webhook(database)
    deliveries = WebhookDeliveryRepository(database)
    (held,) = await cursors(database, "one").take(limit=1)
    (event_id,) = await append(database, "a")
    row = Outcome(webhook.id, held.generation, None, tried(webhook, event_id, Stored.DEAD))
    assert await deliveries.settle(row)
    assert await WebhookRepository(database).delete(webhook.id)
    assert await deliveries.page(webhook.id, state=None, before="", limit=10) == []
    assert not await deliveries.settle(row)
