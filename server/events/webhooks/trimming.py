"""Forgets deliveries that are too old, and the oldest where there are too many."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from server.clock import now_ms
from server.config import Settings
from server.store.webhook_deliveries import Stored, WebhookDeliveryRepository

log = logging.getLogger(__name__)

ROUND_SECONDS: Final = 60.0
"""Between rounds."""
AT_A_TIME: Final = 500
"""Deliveries that one transaction deletes: no other writer waits for long."""
_DAY_MS: Final = 24 * 60 * 60 * 1000


class Trimming:
    """Keeps the delivery log and the dead letters within their age and their number."""

    def __init__(
        self,
        settings: Settings,
        deliveries: WebhookDeliveryRepository,
        *,
        every: float = ROUND_SECONDS,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Forgets nothing before `open`.

        Args:
            settings: say how much to keep.
            deliveries: where to forget.
            every: seconds between rounds.
            clock: gives epoch milliseconds.
        """
        self._deliveries = deliveries
        self._ages = {
            Stored.DELIVERED: int(settings.webhook_log_days * _DAY_MS),
            Stored.DEAD: int(settings.webhook_dead_days * _DAY_MS),
        }
        self._count = settings.webhook_log_count
        self._every = every
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins the rounds."""
        self._task = asyncio.create_task(self._run(), name="webhook-trimming")

    async def close(self) -> None:
        """Ends them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def round(self) -> None:
        """Forgets everything that is too much now; counts where something was added since the last round."""
        for state, age in self._ages.items():
            before = self._clock() - age
            while await self._deliveries.forget(state, before=before, limit=AT_A_TIME) == AT_A_TIME:
                pass
        for webhook_id in self._deliveries.grown():
            for state in self._ages:
                while (
                    await self._deliveries.trim(webhook_id, state, keep=self._count, limit=AT_A_TIME)
                    == AT_A_TIME
                ):
                    pass

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)  # things grow old with the clock alone
            try:
                await self.round()
            except Exception:
                log.exception("old deliveries could not be forgotten; it is tried again")
