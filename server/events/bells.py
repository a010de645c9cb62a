"""Wakes those who wait for an organization's log to grow."""

import asyncio
import itertools
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Bell:
    """Rings when a log has grown.

    Attributes:
        rung: a number that no ring before had, of this bell or of another. Whoever looks at the log remembers
            it first, and waits for a later one afterwards.
        listeners: how many listen.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        """Takes the numbers of its rings from `numbers`."""
        self._numbers = numbers
        self.rung = next(numbers)
        self.listeners = 0
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Wakes everybody who waits."""
        self.rung = next(self._numbers)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            _wake(waiter)

    async def wait(self, rung: int, *, until: float = math.inf) -> None:
        """Returns once it has rung after the ring `rung`, or at a time of the loop's clock."""
        if self.rung != rung:
            return
        # Not asyncio's own timeout: a thousand may wait here, and all wake at once.
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        alarm = None if until == math.inf else loop.call_at(until, _wake, waiter)
        try:
            await waiter
        finally:
            if alarm is not None:
                alarm.cancel()
            if self.rung == rung:
                self._waiting.remove(waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Bells:
    """A bell for each organization that somebody listens to."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._bells: dict[str, Bell] = {}
        self._numbers = itertools.count()

    @property
    def organizations(self) -> Collection[str]:
        """Ids of those that somebody listens to."""
        return self._bells.keys()

    @contextmanager
    def listening(self, organization: str) -> Iterator[Bell]:
        """The bell of an organization, for as long as the block runs."""
        bell = self._bells.get(organization)
        if bell is None:
            bell = self._bells[organization] = Bell(self._numbers)
        bell.listeners += 1
        try:
            yield bell
        finally:
            bell.listeners -= 1
            if not bell.listeners:
                del self._bells[organization]

    def ring(self, organizations: Collection[str]) -> None:
        """Rings the bells of these organizations, where anybody listens."""
        for organization in organizations:
            bell = self._bells.get(organization)
            if bell is not None:
                bell.ring()
