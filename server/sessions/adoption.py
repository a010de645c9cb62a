"""Takes over sessions that shall be connected and that no living node holds."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from server.errors import WagateError
from server.store.leases import LeaseRepository
from server.store.records import Session

log = logging.getLogger(__name__)

PER_ROUND: Final = 50
"""Sessions that a node takes over at a time, so that several nodes share what one has left behind."""


class Adoption:
    """Starts what nobody holds: all of it when the node starts, later a bounded number per round."""

    def __init__(
        self,
        leases: LeaseRepository,
        start: Callable[[Session], Awaitable[bool]],
        tell: Callable[[Session], Awaitable[None]],
        *,
        seconds: float,
    ) -> None:
        """Does nothing before `open`.

        Args:
            leases: tells what nobody holds.
            start: acquires and starts a session, or returns False where this node had better not; raises
                WagateError where another node was faster.
            tell: tells readers where a session stands that its node left without a word; raises the same.
            seconds: between rounds.
        """
        self._leases = leases
        self._start = start
        self._tell = tell
        self._seconds = seconds
        self._behind = ""
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Takes over all that there is, and goes on by rounds in the background."""
        await self.round()
        while self._behind:
            await self.round()
        await self.tell_left()
        self._task = asyncio.get_running_loop().create_task(self._keep_adopting(), name="adoption")

    async def close(self) -> None:
        """Ends that."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def round(self) -> int:
        """Looks at the next `PER_ROUND` sessions that it could have; returns how many it took over.

        The next round looks at those behind them, so that none which cannot be started keeps others waiting.
        """
        found = await self._leases.adoptable(behind=self._behind, limit=PER_ROUND)
        self._behind = found[-1].id if len(found) == PER_ROUND else ""
        adopted = 0
        for record in found:
            try:
                adopted += await self._start(record)
            except WagateError as error:
                log.info("session %s is not taken over: %s", record.id, error.message)
        return adopted

    async def tell_left(self) -> None:
        """Tells where sessions stand that nobody holds and whose node died before it could tell.

        Those are the ones that no node takes over: nobody wants them connected, or no node that runs has
        their keys.
        """
        behind = ""
        while found := await self._leases.mistold(behind=behind, limit=PER_ROUND):
            behind = found[-1].id
            for record in found:
                try:
                    await self._tell(record)
                except WagateError as error:
                    log.info("where session %s stands is not told: %s", record.id, error.message)

    async def _keep_adopting(self) -> None:
        while True:
            # Not in step with the other nodes, which would all want the same sessions.
            pause = self._seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
            await asyncio.sleep(pause)  # no node tells that it died: its leases run out
            try:
                adopted = await self.round()
                await self.tell_left()
            except WagateError as error:
                log.warning("no sessions can be taken over: %s", error.message)
            except Exception:
                log.exception("taking sessions over failed")
            else:
                if adopted:
                    log.info("%d sessions taken over", adopted)
