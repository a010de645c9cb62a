"""A courier with everything around it, over any database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp.abc import AbstractResolver
from ulid import ULID

from server.clock import now_ms
from server.events.bells import Bells
from server.events.reading import SharedReading
from server.events.webhooks.courier import Courier
from server.events.webhooks.destination import Address
from server.events.webhooks.endpoint import Means
from server.events.webhooks.lanes import Lanes
from server.events.webhooks.looks import SharedLooks
from server.events.webhooks.posting import IsAllowed, Poster
from server.events.webhooks.schedule import Schedule
from server.store.database import Database
from server.store.delivery_records import Delivery, DeliveryState
from server.store.event_log import EventLog
from server.store.life import Life
from server.store.webhook_cursors import WebhookCursorRepository
from server.store.webhook_deliveries import WebhookDeliveryRepository
from server.store.webhooks import RetryPolicy, Webhook, WebhookRepository
from tests.support.records import a_webhook
from tests.support.waiting import until


class Time:
    """A clock that runs on when somebody sleeps, and then at once, up to a limit.

    Attributes:
        now: epoch milliseconds.
        slept: how long each sleep was, seconds.
    """

    def __init__(self) -> None:
        self.now = self._begin = now_ms()
        self.slept: list[float] = []
        self._limit: int | None = None
        self._moved = asyncio.Event()

    def __call__(self) -> int:
        return self.now

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return (self.now - self._begin) / 1000

    def stop_at(self, seconds: float | None) -> None:
        """From now on nobody sleeps past that time since the beginning; None ends the limit."""
        self._limit = None if seconds is None else self._begin + round(seconds * 1000)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Passes the time; at the limit, it waits there for a later one."""
        until_ms = self.now + round(seconds * 1000)
        self.slept.append(seconds)
        await asyncio.sleep(0)
        while self._limit is not None and until_ms > self._limit:
            self.now = max(self.now, self._limit)
            await self._moved.wait()
        self.now = max(self.now, until_ms)


@dataclass
class Post:
    """A courier that runs, and the stores that it works on."""

    courier: Courier
    webhooks: WebhookRepository
    deliveries: WebhookDeliveryRepository
    time: Time

    async def webhook(self, url: str, **fields: Any) -> Webhook:
        """Makes a webhook, and waits until it is worked here. Its first retry is after a second."""
        made = replace(a_webhook(url=url), policy=RetryPolicy.CONSTANT, delay_seconds=1)
        stored = await self.webhooks.add(replace(made, **fields), limit=1000)
        assert stored is not None
        working = self.courier.working
        self.courier.changed(stored.id)
        await until(lambda: self.courier.working > working, "the webhook is worked")
        return stored

    async def change(self, webhook: Webhook, **fields: object) -> None:
        """Changes a webhook, as its owner does."""
        await self.webhooks.update(webhook.id, fields)
        self.courier.changed(webhook.id)

    async def listed(self, webhook: Webhook, state: DeliveryState | None = None) -> list[Delivery]:
        """All deliveries of a webhook, oldest first."""
        return list(reversed(await self.deliveries.page(webhook.id, state=state, before="", limit=10_000)))


def anywhere(_address: Address) -> bool:
    """Allows every address."""
    return True


@asynccontextmanager
async def posting(
    database: Database,
    *,
    node: str = "node-1",
    time: Time | None = None,
    is_allowed: IsAllowed = anywhere,
    resolver: AbstractResolver | None = None,
    timeout_seconds: float = 5.0,
    lease_seconds: float = 30.0,
    patience_seconds: float = 3600.0,
    places: int = 8,
) -> AsyncIterator[Post]:
    """Runs a courier for as long as the block runs.

    Args:
        database: with its schema.
        node: the node's id.
        time: by which it waits; it passes at once.
        is_allowed: whether an address may be connected to.
        resolver: looks names up.
        timeout_seconds: for an attempt.
        lease_seconds: how long a lease lasts.
        patience_seconds: as in the settings.
        places: POSTs at a time.
    """
    events = EventLog(database)
    bells = Bells()
    events.listen(bells.ring)
    time = time or Time()
    deliveries = WebhookDeliveryRepository(database)
    cursors = WebhookCursorRepository(database, Life(node, str(ULID()), lease_seconds))
    means = Means(
        poster=Poster(is_allowed, timeout_seconds=timeout_seconds, resolver=resolver),
        cursors=cursors,
        webhooks=SharedLooks(cursors),
        deliveries=deliveries,
        reading=SharedReading(events),
        bells=bells,
        schedule=Schedule(patience_seconds, draw=lambda _least, _most: 1.0),
        lanes=Lanes(places),
        clock=time,
        sleep=time.sleep,
    )
    courier = Courier(means, lease_seconds=lease_seconds, look=0.02)
    courier.open()
    try:
        yield Post(courier, WebhookRepository(database), deliveries, time)
    finally:
        await courier.close()


async def abandon(courier: Courier) -> None:
    """Ends a courier as `kill -9` does: nothing under way is finished or written."""
    tasks = {*courier._work, courier._rounds} - {None}  # noqa: SLF001 - nothing in the product does this
    for task in tasks:
        assert task is not None
        task.cancel()
    await asyncio.wait({task for task in tasks if task is not None})
    courier._rounds = None  # noqa: SLF001 - as above
