"""This node's part of the webhooks: takes endpoints, keeps them, and lets them go."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from server.events.webhooks.endpoint import EndedError, Endpoint, Means
from server.store.failures import DatabaseFailure
from server.store.webhook_cursors import HeldEndpoint

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""Between looks for endpoints that nobody works, and for dead letters to be tried again."""
TAKEN_AT_A_TIME: Final = 100
"""Endpoints that are taken together, so that several nodes share what one has left."""
LETTERS: Final = 10
"""Dead letters of an endpoint that are read at a time."""
STOP_SECONDS: Final = 5.0
"""For which attempts under way may go on when the node stops. What is cut off is posted again later."""


class Courier:
    """Works as many endpoints as there are for it.

    However many there are, a look is one query, and so is the renewal of their leases (for each 500).
    """

    def __init__(self, means: Means, *, lease_seconds: float, look: float = LOOK_SECONDS) -> None:
        """Takes nothing before `open`.

        Args:
            means: what its endpoints work with; closed with this.
            lease_seconds: how long a lease lasts unless renewed.
            look: seconds between looks.
        """
        self._means = means
        self._look = look
        self._renew = lease_seconds / 3
        self._endpoints: dict[str, Endpoint] = {}
        self._redriving: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._rounds: asyncio.Task[None] | None = None

    @property
    def working(self) -> int:
        """How many endpoints this node works."""
        return len(self._endpoints)

    def open(self) -> None:
        """Begins to look for endpoints."""
        self._rounds = asyncio.create_task(self._run(), name="webhooks")

    async def close(self) -> None:
        """Ends every endpoint, after its attempt under way where that is soon over; gives them back."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.wait({self._rounds})
        for endpoint in self._endpoints.values():
            endpoint.stop()
        if self._work:
            _, late = await asyncio.wait(self._work, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        try:
            await self._means.cursors.release_all()
        except DatabaseFailure:
            log.warning("webhooks could not be given back: their leases run out by themselves")
        await self._means.poster.close()

    def changed(self, webhook_id: str) -> None:
        """A webhook was made, changed or deleted, or dead letters of it are to be tried again.

        What this node is not told, because another one did it, it sees by itself a little later.
        """
        endpoint = self._endpoints.get(webhook_id)
        if endpoint is not None:
            endpoint.nudge()
        self._woken.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            self._woken.clear()
            try:
                if loop.time() >= renewed_at + self._renew:
                    await self._keep()
                    renewed_at = loop.time()
                await self._take()
                await self._find_letters()
            except DatabaseFailure:
                pass  # whoever holds a lease finds out by itself; the next look comes soon
            except Exception:
                log.exception("could not look after webhooks; it is tried again")
            try:
                async with asyncio.timeout(self._look):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _take(self) -> None:
        taken = await self._means.cursors.take(limit=TAKEN_AT_A_TIME)
        if len(taken) == TAKEN_AT_A_TIME:
            self._woken.set()  # there may be more
        for held in taken:
            endpoint = Endpoint(self._means, held)
            before = self._endpoints.get(held.webhook_id)
            if before is not None:
                before.nudge()  # its lease has run out, which it is about to see
            self._endpoints[held.webhook_id] = endpoint
            self._begin(self._serve(held, endpoint), f"webhook {held.webhook_id}")

    async def _serve(self, held: HeldEndpoint, endpoint: Endpoint) -> None:
        try:
            await endpoint.run()
        finally:
            if self._endpoints.get(held.webhook_id) is endpoint:
                del self._endpoints[held.webhook_id]

    async def _keep(self) -> None:
        mine = dict(self._endpoints)
        kept = await self._means.cursors.renew({name: e.generation for name, e in mine.items()})
        for name, endpoint in mine.items():
            endpoint.nudge(kept.get(name))

    async def _find_letters(self) -> None:
        for webhook_id in await self._means.deliveries.endpoints_due(now=self._means.clock()):
            endpoint = self._endpoints.get(webhook_id)
            if endpoint is not None and not endpoint.is_blocked and webhook_id not in self._redriving:
                self._redriving.add(webhook_id)
                self._begin(self._redrive(webhook_id, endpoint), f"redrive of {webhook_id}")

    async def _redrive(self, webhook_id: str, endpoint: Endpoint) -> None:
        try:
            while letters := await self._means.deliveries.redriven(
                webhook_id, now=self._means.clock(), limit=LETTERS
            ):
                for letter in letters:
                    if endpoint.is_blocked:
                        return
                    await endpoint.redrive(letter)
        except (EndedError, DatabaseFailure):
            pass  # they stay due
        except Exception:
            log.exception("dead letters of webhook %s could not be tried; it is tried again", webhook_id)
        finally:
            self._redriving.discard(webhook_id)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
