"""Which sessions this node holds: leases that are renewed in time, or given up before they expire."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.clock import elapsed_seconds
from server.errors import Code, WagateError, not_found
from server.store.failures import DatabaseAwayError, DatabaseFailure
from server.store.leases import HeldElsewhereError, LeaseRepository, SessionMissingError

log = logging.getLogger(__name__)

RENEWALS: Final = 3
"""Renewals in the time that a lease lasts, when none fails."""
USABLE: Final = 2 / 3
"""The part of a lease's time after which a session is given up: the rest is for stopping its client."""


@dataclass(slots=True)
class _Lease:
    generation: int
    usable_until: float


class Ownership:
    """Holds leases of this life of the node.

    A node counts a lease's time from before it asked for it, on its own monotonic clock; the database counts
    from after, on its own. So the node's view ends first, however wrong either's time of day is.
    """

    def __init__(
        self,
        leases: LeaseRepository,
        *,
        seconds: float,
        lost: Callable[[str, int], None],
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        """Holds nothing yet.

        Args:
            leases: where they are.
            seconds: how long one lasts unless renewed, as in `leases`.
            lost: called with a session's id and generation when this node must stop its client at once.
            clock: monotonic seconds.
        """
        self._leases = leases
        self._seconds = seconds
        self._lost = lost
        self._clock = clock
        self._held: dict[str, _Lease] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begins renewing what is held, and giving up what could not be renewed in time."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._keep_renewing(), name="lease-renewal"),
            loop.create_task(self._keep_watching(), name="lease-watch"),
        ]

    async def close(self) -> None:
        """Ends that, and gives back whatever is held still."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._held.clear()
        try:
            async with asyncio.timeout(self._seconds / RENEWALS):
                await self._leases.release_all()
        except (DatabaseFailure, TimeoutError) as error:
            log.warning("leases are left to expire by themselves: %s", error)

    def generation(self, session_id: str) -> int | None:
        """The generation in which this node holds a session now, or None where it does not."""
        lease = self._held.get(session_id)
        return lease.generation if lease is not None and self._clock() < lease.usable_until else None

    async def acquire(self, session_id: str) -> int:
        """Takes a session; returns its new generation. Whoever calls sees to it that nobody else does.

        Raises:
            WagateError: UNAVAILABLE where another node holds it or the database does not answer, NOT_FOUND
                where there is no such session.
        """
        asked = self._clock()
        try:
            async with asyncio.timeout(self._seconds / RENEWALS):
                generation = await self._leases.acquire(session_id)
        except TimeoutError as error:
            raise DatabaseAwayError from error
        except HeldElsewhereError as error:
            raise held_elsewhere(error.node) from error
        except SessionMissingError as error:
            raise not_found("session") from error
        self._held[session_id] = _Lease(generation, asked + self._seconds * USABLE)
        return generation

    async def release(self, session_id: str) -> None:
        """Gives a session back; does nothing where this node does not hold it.

        A database that is away does not matter: the lease ends by itself.
        """
        lease = self._held.pop(session_id, None)
        if lease is None:
            return
        try:
            async with asyncio.timeout(self._seconds / RENEWALS):
                await self._leases.release(session_id, lease.generation)
        except (DatabaseFailure, TimeoutError) as error:
            log.warning("the lease of session %s is left to expire by itself: %s", session_id, error)

    async def renew(self) -> bool:
        """Renews every lease; returns whether the database answered.

        What another node has taken meanwhile is lost.
        """
        generations = {session_id: lease.generation for session_id, lease in self._held.items()}
        asked = self._clock()
        try:
            async with asyncio.timeout(self._seconds / RENEWALS / 2):
                kept = await self._leases.renew(generations)
        except (DatabaseFailure, TimeoutError) as error:
            log.warning(
                "%d leases could not be renewed: %s", len(generations), str(error) or "no answer in time"
            )
            return False
        for session_id, generation in generations.items():
            lease = self._held.get(session_id)
            if lease is None or lease.generation != generation:
                continue
            if session_id in kept:
                lease.usable_until = asked + self._seconds * USABLE
            else:
                self._lose(session_id, "another node has taken it")
        return True

    def watch(self) -> None:
        """Gives up whatever could not be renewed in time."""
        now = self._clock()
        for session_id in [found for found, lease in self._held.items() if lease.usable_until <= now]:
            self._lose(session_id, "its lease could not be renewed in time")

    def _lose(self, session_id: str, why: str) -> None:
        log.warning("session %s is given up by this node: %s", session_id, why)
        self._lost(session_id, self._held.pop(session_id).generation)

    async def _keep_renewing(self) -> None:
        third = self._seconds / RENEWALS
        pause = third
        while True:
            await asyncio.sleep(pause)  # leases run out with the clock alone
            try:
                # After a failure sooner: there is time for a few attempts before leases are given up.
                pause = third if await self.renew() else third / 4
            except Exception:
                log.exception("renewing leases failed")
                pause = third / 4

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 30)  # a lease runs out with the clock alone
            self.watch()


def held_elsewhere(node: str) -> WagateError:
    """The answer for a session that another node holds; "" where it has just let go."""
    if not node:
        return WagateError(
            Code.UNAVAILABLE, "the session is just changing nodes; ask again in a moment", retry_after=1
        )
    return WagateError(
        Code.UNAVAILABLE,
        f"the session is held by another node, {node}: ask there",
        {"gatewayId": node},
        retry_after=5,
    )
