"""The event log: what happened, in one order per organization."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, select, update
from ulid import ULID

from server.store.appended import note_appended
from server.store.dialect import insert
from server.store.records import NewEvent
from server.store.tables import EventHeadRow, EventRow, table_of

_event = table_of(EventRow)
_head = table_of(EventHeadRow)

PREFIX: Final = "evt_"
"""How every event's id begins (REST API, Conventions)."""
BEFORE_ALL: Final = PREFIX + "0" * 26
"""Below every event's id."""
_ADVANCE: Final = (
    update(_head)
    .where(_head.c.organization_id == bindparam("organization"))
    .values(last_id=bindparam("last"))
)
# Statements are built once: building one costs as much as running it.
_APPEND: Final = _event.insert()
_HOLD: Final = (
    select(_head.c.organization_id, _head.c.last_id)
    .where(_head.c.organization_id.in_(bindparam("organizations", expanding=True)))
    # In one order everywhere: two writers never wait for each other in a ring.
    .order_by(_head.c.organization_id)
    .with_for_update()
)


@cache
def _begin(dialect: str) -> Executable:
    return insert(dialect, _head).on_conflict_do_nothing()


def append_events(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Appends events in the transaction of `connection`, in their order.

    Ids rise strictly within an organization also with many writers: each of them holds the organization's
    head until it commits, so that no reader sees an id and later a smaller one.
    """
    if not events:
        return
    organizations = sorted({event.organization_id for event in events})
    last = _hold(connection, organizations)
    if missing := [organization for organization in organizations if organization not in last]:
        connection.execute(
            _begin(connection.dialect.name),
            [
                {"organization_id": organization, "last_id": BEFORE_ALL, "forgotten_id": BEFORE_ALL}
                for organization in missing
            ],
        )
        last = _hold(connection, organizations)
    new = []
    for event in events:
        event_id = last[event.organization_id] = _after(last[event.organization_id])
        new.append(
            {
                "organization_id": event.organization_id,
                "id": event_id,
                "session_id": event.session_id,
                "name": event.name,
                "timestamp": event.timestamp,
                "payload": dict(event.payload),
            }
        )
    connection.execute(_APPEND, new)
    connection.execute(
        _ADVANCE, [{"organization": organization, "last": last_id} for organization, last_id in last.items()]
    )
    note_appended(connection, organizations)


def _hold(connection: Connection, organizations: Sequence[str]) -> dict[str, str]:
    """Locks the heads that are there; returns the newest ids."""
    rows = connection.execute(_HOLD, {"organizations": organizations})
    return {row.organization_id: row.last_id for row in rows}


def _after(event_id: str) -> str:
    """An id of now, or, where that does not lie behind `event_id`, the one right behind it."""
    now = ULID()
    last = ULID.from_str(event_id.removeprefix(PREFIX))
    return PREFIX + str(now if now > last else ULID.from_int(int(last) + 1))
