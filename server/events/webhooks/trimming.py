"""Forgets deliveries that are too old, and the oldest where there are too many."""

from collections.abc import Callable
from typing import Final

from server.clock import now_ms
from server.config import Settings
from server.store.webhook_deliveries import Stored, WebhookDeliveryRepository

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
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Forgets nothing before `round`.

        Args:
            settings: say how much to keep.
            deliveries: where to forget.
            clock: gives epoch milliseconds.
        """
        self._deliveries = deliveries
        self._ages = {
            Stored.DELIVERED: int(settings.webhook_log_days * _DAY_MS),
            Stored.DEAD: int(settings.webhook_dead_days * _DAY_MS),
        }
        self._count = settings.webhook_log_count
        self._clock = clock

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
