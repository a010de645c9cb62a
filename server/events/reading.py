"""Reads the log for many followers at once."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from server.events.bells import Bell
from server.store.event_log import EventLog, EventPage, StoredEvent
from server.store.events import BEFORE_ALL

PAGE: Final = 100
"""Events that are read at a time: all that a follower ever holds."""

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events that lie right behind an id.

    Attributes:
        events: in the log's order, `PAGE` at most.
        forgotten_id: the newest id behind that one which is not kept any more; a smaller one where all are.
        is_end: whether nothing lay behind them when the bell had last rung.
    """

    events: Sequence[StoredEvent]
    forgotten_id: str
    is_end: bool


class SharedReading:
    """Followers that stand near the end of a log hold the same events, read once and encoded once.

    All of them wake at the same event. Without this each would ask the database for it, and those that fall
    behind a little, because so many are served before them, would do so again.
    """

    def __init__(self, log: EventLog) -> None:
        """Reads `log`."""
        self._log = log
        self._under_way: dict[_Key, asyncio.Task[EventPage]] = {}
        self._tails: WeakKeyDictionary[Bell, _Tail] = WeakKeyDictionary()

    async def behind(self, bell: Bell, organization: str, *, after: str, rung: int) -> Stretch:
        """The events right behind an id.

        Args:
            bell: the organization's.
            organization: its id.
            after: the id.
            rung: the bell's last ring before this call: what was appended before it is not left out.

        Raises:
            DatabaseAwayError: the database does not answer.
        """
        tail = self._tails.get(bell)
        if tail is not None and (known := tail.behind(after, rung)) is not None:
            return known
        page = await self.page(organization, after=after, rung=rung)
        tail = self._tails.get(bell)
        if tail is None or tail.end < after:
            tail = self._tails[bell] = _Tail(max(after, page.forgotten_id))
        tail.take(after, page, rung)
        # From the tail where it reaches that far: those are the events that others hold.
        return tail.behind(after, rung) or Stretch(page.events, page.forgotten_id, len(page.events) < PAGE)

    async def page(self, organization: str, *, after: str, rung: int) -> EventPage:
        """A page of the log itself; who asks for one while it is being read gets the same.

        Args:
            organization: its id.
            after: the id behind which it begins.
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


class _Tail:
    """The newest events of one log, without a gap: a page of them at most."""

    def __init__(self, start: str) -> None:
        """Holds nothing behind the id `start` yet."""
        self._start = start
        self._ids: list[str] = []
        self._events: list[StoredEvent] = []
        self._complete_at = -1

    @property
    def end(self) -> str:
        """The id up to which it reaches."""
        return self._ids[-1] if self._ids else self._start

    def behind(self, after: str, rung: int) -> Stretch | None:
        """What lies behind an id; None where only the log knows."""
        if not self._start <= after <= self.end:
            return None
        events = self._events[bisect_right(self._ids, after) :]
        is_end = self._complete_at >= rung
        return Stretch(events, BEFORE_ALL, is_end) if events or is_end else None

    def take(self, after: str, page: EventPage, rung: int) -> None:
        """Takes what was read behind an id, where that continues it."""
        if not self._start <= max(after, page.forgotten_id) <= self.end:
            return
        new = [event for event in page.events if event.id > self.end]
        self._events += new
        self._ids += [event.id for event in new]
        if len(page.events) < PAGE:
            self._complete_at = max(self._complete_at, rung)
        if (surplus := len(self._ids) - PAGE) > 0:
            self._start = self._ids[surplus - 1]
            del self._ids[:surplus], self._events[:surplus]
