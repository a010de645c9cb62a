"""Looks at webhooks for many endpoints at once."""

import asyncio

from server.store.webhook_cursors import WebhookCursorRepository
from server.store.webhooks import Webhook

_Key = tuple[str, int]


class SharedLooks:
    """Endpoints that look while a look is under way share the next one.

    An event wakes every endpoint of its organization, and each of them must know its webhook as it is now.
    """

    def __init__(self, cursors: WebhookCursorRepository) -> None:
        """Looks at what `cursors` hold."""
        self._cursors = cursors
        self._waiting: dict[_Key, asyncio.Future[int | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def now(self, webhook_id: str, generation: int, known: Webhook | None) -> Webhook | None:
        """The webhook as it is now, where that generation works it; else None.

        Args:
            webhook_id: which.
            generation: of the lease.
            known: what it was the last time, so that what has not changed need not be read.

        Raises:
            DatabaseAwayError: the database does not answer.
        """
        revision = await self._revision((webhook_id, generation))
        if revision is None:
            return None
        if known is not None and known.revision == revision:
            return known
        return await self._cursors.in_force(webhook_id, generation)

    async def _revision(self, key: _Key) -> int | None:
        asked = self._waiting.get(key)
        if asked is None:
            asked = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._look(), name="webhook-looks")
        return await asyncio.shield(asked)

    async def _look(self) -> None:
        try:
            while self._waiting:
                # Whoever asks from now on wants to know what is from now on.
                asked, self._waiting = self._waiting, {}
                try:
                    found = await self._cursors.revisions(list(asked))
                except Exception as error:  # noqa: BLE001 - handed to whoever waits
                    for future in asked.values():
                        future.set_exception(error)
                        future.exception()  # where nobody waits any more, it is no news
                else:
                    for key, future in asked.items():
                        future.set_result(found.get(key))
        finally:
            self._task = None
