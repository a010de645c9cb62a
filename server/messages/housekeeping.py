"""Forgets what is too old to matter."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server.clock import now_ms
from server.config import Settings
from server.messages.rates import HOUR
from server.store.early import KEPT_MS, EarlyArrivalRepository
from server.store.idempotency import IdempotencyRepository
from server.store.outbox import OutboxRepository
from server.store.reservations import ReservationRepository

log = logging.getLogger(__name__)

ROUND_SECONDS: Final = 60.0
"""Between rounds."""
AT_A_TIME: Final = 1_000
"""Rows that one transaction deletes: no other writer waits for long."""
_DAY: Final = 24 * HOUR


class Housekeeping:
    """Deletes used keys after their time, counted sends after an hour, ended outbox entries like keys.

    And what waits for a message that does not come.
    """

    def __init__(
        self,
        settings: Settings,
        idempotency: IdempotencyRepository,
        reservations: ReservationRepository,
        outbox: OutboxRepository,
        early: EarlyArrivalRepository,
    ) -> None:
        """Forgets in the given repositories."""
        keys_ms = int(settings.idempotency_days * _DAY)
        self._rules: tuple[tuple[Callable[..., Awaitable[int]], int], ...] = (
            (idempotency.forget, keys_ms),
            (outbox.forget, keys_ms),
            (reservations.forget, HOUR),
            (early.forget, KEPT_MS),
        )
        self._early = early
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins the rounds."""
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def close(self) -> None:
        """Ends them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def round(self) -> None:
        """Forgets everything that is too old now."""
        for forget, age in self._rules:
            while await forget(now_ms() - age, limit=AT_A_TIME) == AT_A_TIME:
                pass
        while await self._early.trim(limit=AT_A_TIME) == AT_A_TIME:
            pass

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(ROUND_SECONDS)  # things grow old with the clock alone
            try:
                await self.round()
            except Exception:
                log.exception("what is old could not be forgotten; it is tried again")
