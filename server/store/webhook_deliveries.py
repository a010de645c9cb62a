"""What became of each event at each endpoint: what is being tried, the delivery log, the dead letters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, delete, func, select, tuple_, update

from server.store.database import Database
from server.store.delivery_records import Delivery, DeliveryState, EndpointHealth
from server.store.dialect import insert
from server.store.group_commit import GroupCommit
from server.store.queries import execute, find_all
from server.store.tables import table_of
from server.store.webhook_cursors import Streak, hold
from server.store.webhook_tables import WebhookCursorRow, WebhookDeliveryRow
from server.store.webhooks import Webhook

_cursor = table_of(WebhookCursorRow)
_delivery = table_of(WebhookDeliveryRow)
_SHOWN: Final = [column for column in _delivery.c if column.name not in {"body", "session_id"}]
_EVER: Final = 2**62
"""Later than any time in epoch milliseconds."""


class Stored(StrEnum):
    """What stands in the column `state`."""

    PENDING = "pending"
    """It was tried, and is tried again; whatever is behind it waits."""
    DELIVERED = "delivered"
    """The endpoint took it."""
    DEAD = "dead"
    """It was given up: a dead letter, kept with its body."""
    REDRIVEN = "redriven"
    """A dead letter that is tried again, beside the others; callers see it as pending."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One event at one endpoint, after an attempt. Times are epoch milliseconds.

    Attributes:
        event: the event's name.
        session_id: the session that it happened to, None for none.
        attempts: how many were made; of a dead letter that is driven again, since then.
        status: of the last attempt's answer; None where there was none.
        error: why the last attempt failed, in plain words; None where it did not.
        began_at: when the first attempt was made.
        last_at: when the last one was.
        next_at: when the next one is due; None where there is none.
        body: what is posted; None once it is delivered.
    """

    webhook_id: str
    event_id: str
    event: str
    session_id: str | None
    state: Stored
    attempts: int
    status: int | None
    error: str | None
    began_at: int
    last_at: int
    next_at: int | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an endpoint has come.

    Attributes:
        position: the id of the newest settled event.
    """

    position: str
    streak: Streak


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt has changed, to be written together.

    Attributes:
        webhook_id, generation: under which lease.
        progress: None where the attempt was not at the endpoint's oldest event.
        tried: None where events were passed that are none of the endpoint's business.
    """

    webhook_id: str
    generation: int
    progress: Progress | None
    tried: Tried | None


# Statements are built once: building one costs as much as running it.
_ADVANCE: Final = (
    update(_cursor)
    .where(_cursor.c.webhook_id == bindparam("webhook"))
    .values(
        position=bindparam("new_position"),
        failures=bindparam("new_failures"),
        dead=bindparam("new_dead"),
        suspended=bindparam("new_suspended"),
    )
)
_OPEN: Final = (
    select(_delivery)
    .where(
        _delivery.c.webhook_id == bindparam("webhook"),
        _delivery.c.state == bindparam("wanted"),
        _delivery.c.next_at <= bindparam("now"),
    )
    .order_by(_delivery.c.event_id)
    .limit(bindparam("limit"))
)
_CURSOR: Final = select(_cursor).where(_cursor.c.webhook_id == bindparam("webhook"))
_DEAD: Final = (
    select(func.count())
    .select_from(_delivery)
    .where(_delivery.c.webhook_id == bindparam("webhook"), _delivery.c.state == Stored.DEAD)
)
_NEXT: Final = select(_delivery.c.next_at).where(
    _delivery.c.webhook_id == bindparam("webhook"), _delivery.c.state == Stored.PENDING
)
_DUE: Final = (
    select(_delivery.c.webhook_id)
    .where(_delivery.c.state == Stored.REDRIVEN, _delivery.c.next_at <= bindparam("now"))
    .distinct()
)


class WebhookDeliveryRepository:
    """Keeps deliveries. The lease of the endpoint fences whoever writes what came of them."""

    def __init__(self, database: Database) -> None:
        """Uses `database`; concurrent outcomes share commits."""
        self._database = database
        self._settle: GroupCommit[Outcome, bool] = GroupCommit(database, _settle)
        self._grown: set[str] = set()

    async def settle(self, outcome: Outcome) -> bool:
        """Writes what an attempt has changed; writing it twice changes nothing more.

        Returns:
            Whether it was written: False where the lease is not in force any more.

        Raises:
            DatabaseFailure: as `Database.write`.
        """
        if outcome.tried is not None:
            self._grown.add(outcome.webhook_id)
        return await self._settle.write(outcome)

    def grown(self) -> Collection[str]:
        """Returns the endpoints whose deliveries have changed here since the last call."""
        grown, self._grown = self._grown, set()
        return grown

    async def pending(self, webhook_id: str) -> Tried | None:
        """Returns what an endpoint is tried with at the moment."""
        found = await self._open(webhook_id, Stored.PENDING, now=_EVER, limit=1)
        return found[0] if found else None

    async def redriven(self, webhook_id: str, *, now: int, limit: int) -> Sequence[Tried]:
        """Returns up to `limit` dead letters that are due to be tried again, by their events' ids."""
        return await self._open(webhook_id, Stored.REDRIVEN, now=now, limit=limit)

    async def endpoints_due(self, *, now: int) -> Collection[str]:
        """Returns the ids of endpoints that have dead letters which are due to be tried again."""
        found: Sequence[str] = await self._database.read(
            lambda c: c.execute(_DUE, {"now": now}).scalars().all()
        )
        return found

    async def page(
        self, webhook_id: str, *, state: DeliveryState | None, before: str, limit: int
    ) -> Sequence[Delivery]:
        """See `server.events.webhooks.deliveries.DeliveryRecords`. A delivery's id is its event's."""
        statement = select(*_SHOWN).where(_delivery.c.webhook_id == webhook_id)
        if state is not None:
            statement = statement.where(_delivery.c.state.in_([k for k, v in _TOLD.items() if v is state]))
        if before:
            statement = statement.where(_delivery.c.event_id < before)
        statement = statement.order_by(_delivery.c.event_id.desc()).limit(limit)
        return await find_all(self._database, statement, _told)

    async def redrive(self, webhook_id: str, delivery_ids: Collection[str]) -> int:
        """See `server.events.webhooks.deliveries.DeliveryRecords`. They are due at once."""
        statement = update(_delivery).where(
            _delivery.c.webhook_id == webhook_id, _delivery.c.state == Stored.DEAD
        )
        if delivery_ids:
            statement = statement.where(_delivery.c.event_id.in_(delivery_ids))
        statement = statement.values(state=Stored.REDRIVEN, attempts=0, next_at=_delivery.c.last_at)
        return await execute(self._database, statement)

    async def health(self, webhook: Webhook) -> EndpointHealth:
        """See `server.events.webhooks.deliveries.DeliveryRecords`."""

        def work(connection: Connection) -> EndpointHealth:
            parameters = {"webhook": webhook.id}
            cursor = connection.execute(_CURSOR, parameters).one_or_none()
            dead = connection.execute(_DEAD, parameters).scalar_one()
            if cursor is None:
                return EndpointHealth(None, 0, webhook.starts_after, dead)
            due = connection.execute(_NEXT, parameters).scalar_one_or_none() if cursor.suspended else None
            return EndpointHealth(due, cursor.failures, cursor.position, dead)

        return await self._database.read(work)

    async def forget(self, state: Stored, *, before: int, limit: int) -> int:
        """Forgets deliveries in a state whose last attempt was before a time; returns how many (<= limit).

        Args:
            state: in which they are.
            before: epoch milliseconds.
            limit: at most so many in this transaction.
        """
        old = (
            select(_delivery.c.webhook_id, _delivery.c.event_id)
            .where(_delivery.c.state == state, _delivery.c.last_at < before)
            .limit(limit)
        )
        return await self._delete(old)

    async def trim(self, webhook_id: str, state: Stored, *, keep: int, limit: int) -> int:
        """Forgets all but the newest of an endpoint's deliveries in a state; returns how many (<= limit).

        Args:
            webhook_id: whose.
            state: in which they are.
            keep: of the newest events.
            limit: at most so many in this transaction.
        """
        surplus = (
            select(_delivery.c.webhook_id, _delivery.c.event_id)
            .where(_delivery.c.webhook_id == webhook_id, _delivery.c.state == state)
            .order_by(_delivery.c.event_id.desc())
            .offset(keep)
            .limit(limit)
        )
        return await self._delete(surplus)

    async def _delete(self, which: Executable) -> int:
        keys = tuple_(_delivery.c.webhook_id, _delivery.c.event_id)

        def work(connection: Connection) -> int:
            rows = connection.execute(which).all()
            if rows:
                connection.execute(delete(_delivery).where(keys.in_([tuple(row) for row in rows])))
            return len(rows)

        return await self._database.write(work)

    async def _open(self, webhook_id: str, state: Stored, *, now: int, limit: int) -> Sequence[Tried]:
        parameters = {"webhook": webhook_id, "wanted": state, "now": now, "limit": limit}
        rows = await self._database.read(lambda c: c.execute(_OPEN, parameters).all())
        return [_tried(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def _tried(*, state: str, **columns: object) -> Tried:
    return Tried(state=Stored(state), **columns)  # type: ignore[arg-type] # as stored


_TOLD: Final = {
    Stored.PENDING: DeliveryState.PENDING,
    Stored.REDRIVEN: DeliveryState.PENDING,
    Stored.DELIVERED: DeliveryState.DELIVERED,
    Stored.DEAD: DeliveryState.DEAD,
}


def _told(
    *,
    webhook_id: str,
    event_id: str,
    event: str,
    state: str,
    attempts: int,
    status: int | None,
    error: str | None,
    began_at: int,
    last_at: int,
    next_at: int | None,
) -> Delivery:
    told = _TOLD[Stored(state)]
    return Delivery(
        id=event_id,
        webhook_id=webhook_id,
        event_id=event_id,
        event=event,
        state=told,
        attempts=attempts,
        last_status=status,
        last_error=error,
        next_attempt_at=next_at if told is DeliveryState.PENDING else None,
        delivered_at=last_at if told is DeliveryState.DELIVERED else None,
        created_at=began_at,
    )


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert(dialect, _delivery)
    kept = {column.name: statement.excluded[column.name] for column in _delivery.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=["webhook_id", "event_id"], set_=kept)


def _settle(connection: Connection, outcomes: Sequence[Outcome]) -> Sequence[bool]:
    in_force = hold(connection, [(outcome.webhook_id, outcome.generation) for outcome in outcomes])
    written = [outcome for outcome in outcomes if (outcome.webhook_id, outcome.generation) in in_force]
    advances: list[Mapping[str, object]] = [
        {
            "webhook": outcome.webhook_id,
            "new_position": outcome.progress.position,
            "new_failures": outcome.progress.streak.failures,
            "new_dead": outcome.progress.streak.dead,
            "new_suspended": outcome.progress.streak.suspended,
        }
        for outcome in written
        if outcome.progress is not None
    ]
    if advances:
        connection.execute(_ADVANCE, advances)
    rows = [asdict(outcome.tried) for outcome in written if outcome.tried is not None]
    if rows:
        connection.execute(_upsert(connection.dialect.name), rows)
    return [(outcome.webhook_id, outcome.generation) in in_force for outcome in outcomes]
