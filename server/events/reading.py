"""Reads the log for many followers at once."""

import asyncio
from typing import Final

from server.store.event_log import EventLog, EventPage

PAGE: Final = 100
"""Events that are read at a time: all that a follower ever holds."""

_Key = tuple[str, str, int]


class SharedReading:
    """Followers that stand at the same place read the same page once.

    Those who wait at the end of a log all wake at the same event. Without this each of them would ask the
    database for it, and hold a copy of its own.
    """

    def __init__(self, log: EventLog) -> None:
        """Reads `log`."""
        self._log = log
        self._under_way: dict[_Key, asyncio.Task[EventPage]] = {}

    async def page(self, organization: str, *, after: str, rung: int) -> EventPage:
        """The events right behind an id, `PAGE` at most.

        Args:
            organization: its id.
            after: the id.
            rung: the last ring of the organization's bell before this call. Readings that began before a
                ring are not shared with those who heard it.

        Raises:
            DatabaseAwayError: the database does not answer.
        """
        key = (organization, after, rung)
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(
                self._log.page(organization, after=after, limit=PAGE), name="event-page"
            )
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # Shielded: others may wait for the same.
        return await asyncio.shield(task)

    def _done(self, key: _Key, task: asyncio.Task[EventPage]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; where nobody does, it is no news
