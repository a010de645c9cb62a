"""One reader's way along the log."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from server.clock import now_ms
from server.errors import invalid
from server.events.bells import Bells
from server.events.reading import SharedReading, Stretch
from server.store.event_log import StoredEvent

HEARTBEAT: Final = "heartbeat"
"""Says that the stream lives, and by its id how far it has come."""
GAP: Final = "gap"
"""Says that events behind the reader's cursor are not kept any more."""
HEARTBEAT_SECONDS: Final = 15.0
"""Silence after which a heartbeat is sent: well below what proxies take for a dead connection."""

_CURSOR: Final = re.compile(r"evt_[0-7][0-9A-HJKMNP-TV-Z]{25}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader wants to see; an empty set leaves nothing out.

    Attributes:
        sessions: ids.
        names: of events.
    """

    sessions: frozenset[str] = field(default_factory=frozenset)
    names: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.sessions or self.names)

    def pass_on(self, event: StoredEvent) -> bool:
        """Whether the reader wants to see an event."""
        return (not self.sessions or event.session_id in self.sessions) and (
            not self.names or event.name in self.names
        )


class Subscription:
    """Follows the log of one organization from a cursor on.

    It reads a page, gives it out as fast as its reader takes it, and only then reads the next one; at the
    end of the log it waits for the organization's bell. So a slow reader holds one page and nothing else,
    and what it has not taken waits in the log.
    """

    def __init__(
        self,
        reading: SharedReading,
        bells: Bells,
        organization: str,
        *,
        position: str,
        filters: Filters,
        heartbeat: float,
    ) -> None:
        """See `server.events.service.Events.subscribe`, which makes them.

        Args:
            reading: reads the log.
            bells: tell when it has grown.
            organization: whose log.
            position: the id behind which to begin.
            filters: what to leave out.
            heartbeat: seconds of silence after which to send one.
        """
        self._reading = reading
        self._bells = bells
        self._organization = organization
        self._position = position
        self._filters = filters
        self._heartbeat = heartbeat

    async def events(self) -> AsyncGenerator[StoredEvent, None]:
        """The events one by one; see `batches`."""
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def batches(self) -> AsyncGenerator[Sequence[StoredEvent], None]:
        """The events in the log's order, without end: what is there at the same time comes together.

        The first one is a heartbeat. No batch is empty, and none has more than a page and its gap. To be
        closed by whoever iterates.

        Raises:
            DatabaseAwayError: the database does not answer; the reader may come back with its last id.
        """
        clock = asyncio.get_running_loop().time
        with self._bells.listening(self._organization) as bell:
            yield [self._sign(HEARTBEAT)]
            due = clock() + self._heartbeat
            while True:
                rung = bell.rung
                stretch = await self._reading.behind(
                    bell, self._organization, after=self._position, rung=rung
                )
                if batch := self._passed(stretch):
                    yield batch
                    due = clock() + self._heartbeat
                if stretch.is_end and clock() < due:
                    await bell.wait(rung, until=due)
                if clock() >= due:
                    yield [self._sign(HEARTBEAT)]
                    due = clock() + self._heartbeat

    def _passed(self, stretch: Stretch) -> Sequence[StoredEvent]:
        """What the reader sees of a stretch; moves the position to its end."""
        gap: list[StoredEvent] = []
        if stretch.forgotten_id > self._position:
            lost = {"after": self._position, "until": stretch.forgotten_id}
            self._position = stretch.forgotten_id
            gap = [self._sign(GAP, lost)]
        if stretch.events:
            self._position = stretch.events[-1].id
        if not gap and not self._filters:
            return stretch.events
        return gap + [event for event in stretch.events if self._filters.pass_on(event)]

    def _sign(self, name: str, payload: Mapping[str, object] | None = None) -> StoredEvent:
        return StoredEvent(self._organization, self._position, None, name, now_ms(), payload or {})


def checked_cursor(after: str, called: str) -> str:
    """A cursor that may be one.

    Args:
        after: the cursor.
        called: what the caller calls it.

    Raises:
        WagateError: VALIDATION_ERROR.
    """
    if not _CURSOR.fullmatch(after):
        raise invalid(
            called, "no event's id: give the one that the last event had, or nothing to begin with now"
        )
    return after
