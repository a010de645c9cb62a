"""Forgets events that are too old, and the oldest where there are too many."""

from collections.abc import Callable
from typing import Final

from server.clock import now_ms
from server.config import Settings
from server.store.event_log import EventLog, id_before

AT_A_TIME: Final = 1_000
"""Events that one transaction deletes: no other writer waits for long."""
_DAY_MS: Final = 24 * 60 * 60 * 1000


class Retention:
    """Keeps every organization's log within its age and its length."""

    def __init__(
        self,
        settings: Settings,
        events: EventLog,
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Forgets nothing before `round`.

        Args:
            settings: say how much to keep.
            events: where to forget.
            clock: gives epoch milliseconds.
        """
        self._clock = clock
        self._log = events
        self._age_ms = int(settings.event_days * _DAY_MS)
        self._count = settings.event_count

    async def round(self) -> None:
        """Forgets everything that is too much now."""
        for organization in await self._log.heads():
            surplus = await self._log.surplus(organization, keep=self._count)
            until = max(surplus or "", id_before(self._clock() - self._age_ms))
            while await self._log.forget(organization, until=until, limit=AT_A_TIME) == AT_A_TIME:
                pass
