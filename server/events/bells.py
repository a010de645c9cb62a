"""Wakes those who wait for an organization's log to grow."""

import asyncio
import itertools
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
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wakes everybody who waits."""
        self.rung = next(self._numbers)
        waited_for, self._next = self._next, asyncio.Event()
        waited_for.set()

    async def wait(self, rung: int) -> None:
        """Returns once it has rung after the ring `rung`."""
        if self.rung == rung:
            await self._next.wait()


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
