"""The event log as readers see it: pages behind an id, and what is not kept any more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, true, update
from ulid import ULID

from server.store.appended import Listener
from server.store.database import Database
from server.store.events import BEFORE_ALL, PREFIX
from server.store.tables import EventHeadRow, EventRow, table_of

_event = table_of(EventRow)
_head = table_of(EventHeadRow)

_behind = (
    select(_event.c.id, _event.c.session_id, _event.c.name, _event.c.timestamp, _event.c.payload)
    .where(_event.c.organization_id == bindparam("organization"), _event.c.id > bindparam("after"))
    .order_by(_event.c.id)
    .limit(bindparam("limit"))
    .subquery()
)
# One statement sees one state of the database: what is deleted meanwhile is either in the page or told by
# the head.
_PAGE: Final = (
    select(_head.c.last_id, _head.c.forgotten_id, _behind)
    .select_from(_head.outerjoin(_behind, true()))
    .where(_head.c.organization_id == bindparam("organization"))
    .order_by(_behind.c.id)
)
_OLDEST: Final = (
    select(_event.c.id)
    .where(_event.c.organization_id == bindparam("organization"), _event.c.id <= bindparam("until"))
    .order_by(_event.c.id)
    .limit(bindparam("limit"))
)
_SURPLUS: Final = (
    select(_event.c.id)
    .where(_event.c.organization_id == bindparam("organization"))
    .order_by(_event.c.id.desc())
    .offset(bindparam("keep"))
    .limit(1)
)
_FORGET: Final = delete(_event).where(
    _event.c.organization_id == bindparam("organization"), _event.c.id <= bindparam("until")
)
_REMEMBER: Final = (
    update(_head)
    .where(_head.c.organization_id == bindparam("organization"), _head.c.forgotten_id < bindparam("until"))
    .values(forgotten_id=bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the log.

    Attributes:
        timestamp: epoch milliseconds.
        forms: what was made of it for those who read it, by what made it; see `server.events.envelope`.
    """

    organization_id: str
    id: str
    session_id: str | None
    name: str
    timestamp: int
    payload: Mapping[str, object]
    forms: dict[object, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EventPage:
    """A stretch of an organization's log, and how the log stood when it was read.

    Attributes:
        events: in the log's order.
        last_id: the newest event's id, whether it is still kept or not; `BEFORE_ALL` where there was none.
        forgotten_id: the newest id that was deleted by retention; `BEFORE_ALL` where none was.
    """

    events: tuple[StoredEvent, ...]
    last_id: str
    forgotten_id: str


class EventLog:
    """Reads the logs of all organizations, and forgets what is old."""

    def __init__(self, database: Database) -> None:
        """Reads and forgets in `database`."""
        self._database = database

    def listen(self, listener: Listener) -> None:
        """From now on `listener` is told, after the commit, whose logs this process has made longer.

        Another node's commits are not told: see `heads`.
        """
        self._database.appended.listen(listener)

    async def page(self, organization: str, *, after: str, limit: int) -> EventPage:
        """The events right behind an id.

        Args:
            organization: its id.
            after: an event's id; it need not be kept any more.
            limit: events at most; 0 tells how the log stands and reads none.
        """
        parameters = {"organization": organization, "after": after, "limit": limit}
        rows = await self._database.read(lambda connection: connection.execute(_PAGE, parameters).all())
        if not rows:
            return EventPage((), BEFORE_ALL, BEFORE_ALL)
        events = tuple(
            StoredEvent(organization, row.id, row.session_id, row.name, row.timestamp, row.payload)
            for row in rows
            if row.id is not None
        )
        return EventPage(events, rows[0].last_id, rows[0].forgotten_id)

    async def heads(self, organizations: Collection[str] | None = None) -> dict[str, str]:
        """The newest event's id of each organization that ever had an event.

        Args:
            organizations: ids of those to look at; None for all.
        """
        statement = select(_head.c.organization_id, _head.c.last_id)
        if organizations is not None:
            statement = statement.where(_head.c.organization_id.in_(organizations))
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {row.organization_id: row.last_id for row in rows}

    async def surplus(self, organization: str, *, keep: int) -> str | None:
        """The newest event behind which there are `keep` newer ones; None where there are not as many."""
        parameters = {"organization": organization, "keep": keep}
        found: str | None = await self._database.read(
            lambda connection: connection.execute(_SURPLUS, parameters).scalar_one_or_none()
        )
        return found

    async def forget(self, organization: str, *, until: str, limit: int) -> int:
        """Deletes the oldest events, and remembers how far.

        Args:
            organization: its id.
            until: the newest id to delete.
            limit: events at most, in one transaction.

        Returns:
            How many were deleted; fewer than `limit` when none is left to delete.
        """

        def work(connection: Connection) -> int:
            oldest = connection.execute(
                _OLDEST, {"organization": organization, "until": until, "limit": limit}
            ).scalars()
            ids = oldest.all()
            if not ids:
                return 0
            parameters = {"organization": organization, "until": ids[-1]}
            # The head comes last: whoever appends waits for it, and this way not for the rows.
            connection.execute(_FORGET, parameters)
            connection.execute(_REMEMBER, parameters)
            return len(ids)

        return await self._database.write(work)


def id_before(timestamp: int) -> str:
    """An id above those of all events that were appended before a time, and below the others'.

    Args:
        timestamp: epoch milliseconds.
    """
    return PREFIX + str(ULID.from_int(max(0, timestamp) << 80))
