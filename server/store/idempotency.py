"""The idempotency keys: reserved before anything is sent, settled with its outcome."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, tuple_, update

from server.store.database import Database
from server.store.dialect import insert
from server.store.queries import execute, find_one
from server.store.records import IdempotencyKey, KeptResult
from server.store.tables import IdempotencyRow, table_of

_idempotency = table_of(IdempotencyRow)
_KEPT: Final = (
    _idempotency.c.session_id,
    _idempotency.c.generation,
    _idempotency.c.status,
    _idempotency.c.outbox_id,
    _idempotency.c.wa_message_id,
    _idempotency.c.timestamp,
)
_SETTLE: Final = (
    update(_idempotency)
    .where(_idempotency.c.organization_id == bindparam("of"), _idempotency.c.key == bindparam("by"))
    .values(status=bindparam("now"), wa_message_id=bindparam("message"), timestamp=bindparam("whatsapp_time"))
)


class IdempotencyRepository:
    """Looks up and forgets keys; they are written within other transactions, by the functions below."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def find(self, key: IdempotencyKey) -> KeptResult | None:
        """Returns what is kept under a key."""
        statement = select(*_KEPT).where(
            _idempotency.c.organization_id == key.organization_id, _idempotency.c.key == key.key
        )
        return await find_one(self._database, statement, KeptResult)

    async def release(self, key: IdempotencyKey) -> None:
        """Forgets a key whose send certainly did not happen, so that it can be tried again."""
        statement = delete(_idempotency).where(
            _idempotency.c.organization_id == key.organization_id,
            _idempotency.c.key == key.key,
            _idempotency.c.status.is_(None),
        )
        await execute(self._database, statement)

    async def forget(self, before: int, *, limit: int) -> int:
        """Forgets keys that were used before a time in epoch milliseconds; returns how many (<= limit)."""
        old = select(_idempotency.c.organization_id, _idempotency.c.key)
        old = old.where(_idempotency.c.created_at < before).limit(limit)
        which = tuple_(_idempotency.c.organization_id, _idempotency.c.key)
        return await execute(self._database, delete(_idempotency).where(which.in_(old)))


def reserve_keys(
    connection: Connection, rows: Sequence[Mapping[str, object]]
) -> dict[IdempotencyKey, KeptResult | None]:
    """Reserves keys in the transaction of `connection`.

    Args:
        connection: where.
        rows: columns of the table, each key once.

    Returns:
        For each key None where it was free and is reserved now, else what is kept under it.
    """
    if not rows:
        return {}
    statement = insert(connection.dialect.name, _idempotency).on_conflict_do_nothing()
    new = statement.returning(_idempotency.c.organization_id, _idempotency.c.key)
    blank = {"status": None, "outbox_id": None, "wa_message_id": None, "timestamp": None}
    found: dict[IdempotencyKey, KeptResult | None] = {
        IdempotencyKey(*row): None for row in connection.execute(new, [{**blank, **row} for row in rows])
    }
    wanted = [(str(row["organization_id"]), str(row["key"])) for row in rows]
    taken = [key for key in wanted if IdempotencyKey(*key) not in found]
    if taken:
        which = tuple_(_idempotency.c.organization_id, _idempotency.c.key)
        kept = select(_idempotency.c.organization_id, _idempotency.c.key, *_KEPT).where(which.in_(taken))
        for organization_id, key, *columns in connection.execute(kept):
            found[IdempotencyKey(organization_id, key)] = KeptResult(*columns)
    return found


def settle_keys(
    connection: Connection,
    outcomes: Sequence[tuple[IdempotencyKey, str, str | None, int]],
) -> None:
    """Writes outcomes under their keys: (key, status, WhatsApp's id, its time in epoch milliseconds)."""
    if outcomes:
        connection.execute(
            _SETTLE,
            [
                {
                    "of": key.organization_id,
                    "by": key.key,
                    "now": status,
                    "message": wa_message_id,
                    "whatsapp_time": timestamp,
                }
                for key, status, wa_message_id, timestamp in outcomes
            ],
        )
