"""Forgets what is too old to matter."""

from collections.abc import Awaitable, Callable
from typing import Final

from server.clock import now_ms
from server.config import Settings
from server.messages.rates import HOUR
from server.store.early import KEPT_MS, EarlyArrivalRepository
from server.store.idempotency import IdempotencyRepository
from server.store.outbox import OutboxRepository
from server.store.reservations import ReservationRepository

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

    async def round(self) -> None:
        """Forgets everything that is too old now."""
        for forget, age in self._rules:
            while await forget(now_ms() - age, limit=AT_A_TIME) == AT_A_TIME:
                pass
        while await self._early.trim(limit=AT_A_TIME) == AT_A_TIME:
            pass
