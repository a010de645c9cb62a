"""The send rates of this node's sessions, as they stand now."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from server.clock import now_ms
from server.messages.rates import HOUR, RateWindow
from server.store.records import Session
from server.store.reservations import ReservationRepository

_REMEMBERED: Final = 10_000
"""Sessions whose use is kept in memory; the one unused for longest is read again when it sends."""


@dataclass(frozen=True, slots=True)
class _Budget:
    generation: int
    per_minute: int
    per_hour: int
    window: RateWindow


class Budgets:
    """Keeps a window per session; what was used before this node held the session is read from the store."""

    def __init__(self, reservations: ReservationRepository) -> None:
        """Reads from `reservations`."""
        self._reservations = reservations
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, session: Session, generation: int) -> RateWindow:
        """The session's window under a lease: another holder in between may have used it."""
        found = self._find(session, generation)
        if found is not None:
            return found
        # One at a time: a second reading would forget what was taken since the first.
        async with self._reading:
            found = self._find(session, generation)
            if found is None:
                found = await self._read(session, generation)
        return found

    def _find(self, session: Session, generation: int) -> RateWindow | None:
        budget = self._budgets.get(session.id)
        wanted = (generation, session.rate_per_min, session.rate_per_hour)
        if budget is None or (budget.generation, budget.per_minute, budget.per_hour) != wanted:
            return None
        self._budgets.move_to_end(session.id)
        return budget.window

    async def _read(self, session: Session, generation: int) -> RateWindow:
        used = await self._reservations.sent_since(session.id, now_ms() - HOUR)
        window = RateWindow(session.rate_per_min, session.rate_per_hour, used)
        self._budgets[session.id] = _Budget(generation, session.rate_per_min, session.rate_per_hour, window)
        if len(self._budgets) > _REMEMBERED:
            self._budgets.popitem(last=False)
        return window
