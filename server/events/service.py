"""Subscriptions: who may follow what, and from where."""

import asyncio
import logging
import re
from collections.abc import Collection
from typing import Final

from server.auth.principal import Principal
from server.errors import invalid
from server.events.bells import Bells
from server.events.reading import SharedReading
from server.events.subscription import HEARTBEAT_SECONDS, Filters, Subscription, checked_cursor
from server.sessions.service import Sessions
from server.store.event_log import EventLog
from server.store.events import BEFORE_ALL
from server.store.failures import DatabaseFailure

log = logging.getLogger(__name__)

FILTERS: Final = 100
"""Sessions, and names, that one subscription may list."""
NAME_LENGTH: Final = 64
"""Characters in an event's name, at most."""
LOOK_SECONDS: Final = 0.5
"""Between looks for events that other nodes have appended."""

_NAME: Final = re.compile(r"[a-z]+(\.[a-z]+)*")


class Events:
    """The event log's readers on this node."""

    def __init__(
        self,
        events: EventLog,
        sessions: Sessions,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        look: float = LOOK_SECONDS,
    ) -> None:
        """Prepares to follow; see `open`.

        Args:
            events: what is followed.
            sessions: finds the sessions that filters name.
            heartbeat: seconds of silence on a stream after which it sends a heartbeat.
            look: seconds between looks for what other nodes have appended.
        """
        self._log = events
        self._sessions = sessions
        self._heartbeat = heartbeat
        self._look = look
        self._bells = Bells()
        self._reading = SharedReading(events)
        self._task: asyncio.Task[None] | None = None
        events.listen(self._bells.ring)

    @property
    def bells(self) -> Bells:
        """Wake whoever follows a log, also where another node has appended to it."""
        return self._bells

    @property
    def reading(self) -> SharedReading:
        """Reads pages for all who follow."""
        return self._reading

    @property
    def followed(self) -> Collection[str]:
        """Ids of the organizations that somebody follows."""
        return self._bells.organizations

    def open(self) -> None:
        """Begins to look for what other nodes append."""
        self._task = asyncio.create_task(self._look_around(), name="event-look")

    async def close(self) -> None:
        """Ends that. Subscriptions end with the calls that they serve, before this."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def subscribe(
        self,
        principal: Principal,
        *,
        after: str,
        sessions: Collection[str],
        names: Collection[str],
        called: str = "after",
    ) -> Subscription:
        """A subscription to the events of the caller's organization.

        Args:
            principal: the caller.
            after: the id behind which to begin; "" begins with what happens from now on, `BEFORE_ALL` with
                the oldest event that is kept.
            sessions: ids of sessions to see alone; none of them for all.
            names: of events to see alone; none of them for all.
            called: what the caller calls `after`, for the refusal.

        Raises:
            WagateError: VALIDATION_ERROR for a cursor that is no event's or lies behind the newest one, and
                for a filter that is none; NOT_FOUND for a session that is not the organization's.
        """
        await self.check(principal, sessions=sessions, names=names)
        position = await self._position(principal.organization_id, after, called)
        return Subscription(
            self._reading,
            self._bells,
            principal.organization_id,
            position=position,
            filters=Filters(frozenset(sessions), frozenset(names)),
            heartbeat=self._heartbeat,
        )

    async def check(self, principal: Principal, *, sessions: Collection[str], names: Collection[str]) -> None:
        """Refuses filters that `subscribe` does not take.

        Args:
            principal: the caller.
            sessions: as for `subscribe`.
            names: as for `subscribe`.

        Raises:
            WagateError: VALIDATION_ERROR for a filter that is none; NOT_FOUND for a session that is not the
                organization's.
        """
        for field, listed in (("sessions", sessions), ("events", names)):
            if len(listed) > FILTERS:
                raise invalid(field, f"at most {FILTERS}")
        for session_id in sessions:
            await self._sessions.find(principal, session_id)
        for name in names:
            if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
                raise invalid("events", "names of events look like 'message' or 'message.status'")

    async def _position(self, organization: str, after: str, called: str) -> str:
        cursor = checked_cursor(after, called) if after else ""
        head = await self._log.page(organization, after=BEFORE_ALL, limit=0)
        if not cursor:
            return head.last_id
        if cursor == BEFORE_ALL:
            return head.forgotten_id
        if cursor > head.last_id:
            # It would leave out, in silence, whatever gets the ids up to there.
            raise invalid(called, "lies behind the newest event of this organization's log")
        return cursor

    async def _look_around(self) -> None:
        seen: dict[str, str] = {}
        while True:
            await asyncio.sleep(self._look)  # other nodes do not tell this one
            organizations = tuple(self.followed)
            if not organizations:
                continue
            try:
                heads = await self._log.heads(organizations)
            except DatabaseFailure:
                continue  # whoever reads is told; the next look comes soon
            except Exception:
                log.exception("could not look for events of other nodes; it is tried again")
                continue
            self._bells.ring([name for name, last_id in heads.items() if seen.get(name) != last_id])
            seen = heads
