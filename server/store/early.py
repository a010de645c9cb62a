"""Acts and receipts that come before the message that they are about is stored.

WhatsApp delivers what was sent while a device was away in any order, and acknowledges a send to its sender
a moment before it tells that it was delivered, while the send's outcome is still being recorded. What never
finds a message (receipts for reactions and edits, messages on the wire; acts on what was said before
the device was linked) goes with its age.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Executable, bindparam, delete, func, select

from server.store.arrival_records import (
    MessageAct,
    NewEdit,
    NewReaction,
    NewReceipt,
    NewRevoke,
    NewSealed,
    NewVote,
)
from server.store.database import Database
from server.store.dialect import insert
from server.store.portions import portions
from server.store.queries import execute
from server.store.tables import EarlyArrivalRow, SessionRow, table_of

_early = table_of(EarlyArrivalRow)
_session = table_of(SessionRow)

KEPT: Final = 10_000
"""Arrivals that wait at most for each session; the oldest go first."""
KEPT_MS: Final = 7 * 24 * 3_600_000
"""How long an arrival waits at most, in milliseconds."""

_DEEDS: Final = {deed.__name__: deed for deed in (NewEdit, NewRevoke, NewReaction, NewVote, NewSealed)}
_BYTES: Final = ("content", "iv", "payload")
"""Fields of deeds that hold bytes, which JSON does not know."""

_FIND: Final = (
    select(_early.c.id, _early.c.session_id, _early.c.wa_message_id, _early.c.arrival)
    .where(
        _early.c.session_id.in_(bindparam("sessions", expanding=True)),
        _early.c.wa_message_id.in_(bindparam("messages", expanding=True)),
    )
    .order_by(_early.c.id)
)
_KNOWN: Final = select(_session.c.id).where(_session.c.id.in_(bindparam("sessions", expanding=True)))
_DELETE: Final = delete(_early).where(_early.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _keep(dialect: str) -> Executable:
    return insert(dialect, _early).on_conflict_do_nothing()


@dataclass(frozen=True, slots=True)
class EarlyArrival:
    """What has waited; `id` is its row's."""

    id: int
    arrival: MessageAct | NewReceipt


def keep_early(connection: Connection, arrivals: Sequence[MessageAct | NewReceipt]) -> None:
    """Lets arrivals wait for their messages; what waits already waits once. Those of deleted sessions do not.

    Args:
        connection: in a transaction that has taken its turn for their sessions.
        arrivals: storable and canonical.
    """
    if not arrivals:
        return
    sessions = sorted({arrival.session_id for arrival in arrivals})
    known = set(connection.execute(_KNOWN, {"sessions": sessions}).scalars())
    rows = [_row(arrival) for arrival in arrivals if arrival.session_id in known]
    if rows:
        connection.execute(_keep(connection.dialect.name), rows)


def find_early(connection: Connection, messages: Collection[tuple[str, str]]) -> Iterator[EarlyArrival]:
    """What waits for messages, in the order in which it came.

    Args:
        connection: in a transaction that has taken its turn for their sessions.
        messages: session ids with WhatsApp's ids of messages that are stored now.
    """
    wanted = sorted(messages)
    for some in portions(wanted):
        named = {
            "sessions": sorted({session for session, _ in some}),
            "messages": sorted({message for _, message in some}),
        }
        for row in connection.execute(_FIND, named):
            if (row.session_id, row.wa_message_id) in messages:
                yield EarlyArrival(row.id, _read(row.arrival))


def forget_early(connection: Connection, row_ids: Sequence[int]) -> None:
    """Deletes what has found its message."""
    for some in portions(row_ids):
        connection.execute(_DELETE, {"ids": some})


class EarlyArrivalRepository:
    """Bounds what waits."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def forget(self, before: int, *, limit: int) -> int:
        """Deletes what was received before a time.

        Args:
            before: epoch milliseconds.
            limit: rows at most.

        Returns:
            How many were deleted; fewer than `limit` when none is left to delete.
        """
        old = select(_early.c.id).where(_early.c.at < before).limit(limit)
        return await execute(self._database, delete(_early).where(_early.c.id.in_(old)))

    async def trim(self, keep: int | None = None, *, limit: int) -> int:
        """Deletes the oldest of each session that has more than `keep`.

        Args:
            keep: rows of a session that stay; `KEPT` where it is None.
            limit: rows at most.

        Returns:
            How many were deleted; fewer than `limit` when none is left to delete.
        """
        keep = KEPT if keep is None else keep

        def work(connection: Connection) -> int:
            crowded = connection.execute(
                select(_early.c.session_id, func.count() - keep)
                .group_by(_early.c.session_id)
                .having(func.count() > keep)
            ).all()
            deleted = 0
            for session_id, surplus in crowded:
                oldest = (
                    select(_early.c.id)
                    .where(_early.c.session_id == session_id)
                    .order_by(_early.c.id)
                    .limit(min(surplus, limit - deleted))
                )
                deleted += connection.execute(delete(_early).where(_early.c.id.in_(oldest))).rowcount
            return deleted

        return await self._database.write(work)


def _row(arrival: MessageAct | NewReceipt) -> dict[str, object]:
    form = _form(arrival)
    # When and with which news of addresses it came makes no other act of it.
    same = {name: value for name, value in form.items() if name not in ("at", "lid", "phone_jid")}
    return {
        "session_id": arrival.session_id,
        "wa_message_id": arrival.wa_message_id,
        "digest": sha256(json.dumps(same, sort_keys=True).encode()).hexdigest(),
        "arrival": form,
        "at": arrival.at,
    }


def _form(arrival: MessageAct | NewReceipt) -> dict[str, Any]:
    form = asdict(arrival)
    if isinstance(arrival, MessageAct):
        deed = {
            name: b64encode(value).decode() if name in _BYTES else value
            for name, value in form["deed"].items()
        }
        form["deed"] = {"is": type(arrival.deed).__name__, **deed}
    return form


def _read(form: dict[str, Any]) -> MessageAct | NewReceipt:
    # What is no field any more was written by an earlier release, and is left out.
    if "deed" not in form:
        return NewReceipt(**_fields(NewReceipt, form))
    deed = form["deed"]
    kind = _DEEDS[deed["is"]]
    values = {name: b64decode(value) if name in _BYTES else value for name, value in deed.items()}
    return MessageAct(**{**_fields(MessageAct, form), "deed": kind(**_fields(kind, values))})


def _fields(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}
