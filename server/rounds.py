"""What is done again and again, because things grow old with the clock alone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

log = logging.getLogger(__name__)

SECONDS: Final = 60.0
"""Between rounds."""


class Rounds:
    """Does work again and again, one piece after the other; what fails is tried again in the next round."""

    def __init__(self, work: Mapping[str, Callable[[], Awaitable[None]]], *, every: float = SECONDS) -> None:
        """Does nothing before `open`.

        Args:
            work: what to do, by what the log calls it ("forget old events").
            every: seconds between rounds.
        """
        self._work = work
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins the rounds."""
        self._task = asyncio.create_task(self._run(), name="rounds")

    async def close(self) -> None:
        """Ends them; what is under way is broken off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)  # nothing tells when something has grown old
            for name, work in self._work.items():
                try:
                    await work()
                except Exception:
                    log.exception("could not %s; it is tried again", name)
