"""What became of each event at each endpoint: what is being tried, the delivery log, the dead letters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, delete, select, tuple_, update

from server.store.database import Database
from server.store.dialect import insert
from server.store.group_commit import GroupCommit
from server.store.queries import find_all, find_one
from server.store.tables import WebhookCursorRow, WebhookDeliveryRow, table_of
from server.store.webhook_cursors import Streak, hold

_cursor = table_of(WebhookCursorRow)
_delivery = table_of(WebhookDeliveryRow)
_SHOWN: Final = [column for column in _delivery.c if column.name != "body"]


class DeliveryState(StrEnum):
    """How an event stands at an endpoint."""

    PENDING = "pending"
    """It was tried, and is tried again; whatever is behind it waits."""
    DELIVERED = "delivered"
    """The endpoint took it."""
    DEAD = "dead"
    """It was given up: a dead letter, kept with its body."""
    REDRIVEN = "redriven"
    """A dead letter that is tried again, beside the others."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event at one endpoint. Times are epoch milliseconds.

    Attributes:
        event: the event's name.
        session_id: the session that it happened to, None for none.
        attempts: how many were made; of a dead letter that is driven again, since then.
        status: of the last answer; None where there was none.
        error: a word for why there was none (`server.events.webhooks.answers.Failure`), or None.
        duration_ms: how long the last attempt took.
        began_at: when the first attempt was made.
        last_at: when the last one was.
        next_at: when the next one is due; None where there is none.
    """

    webhook_id: str
    event_id: str
    event: str
    session_id: str | None
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    duration_ms: int
    began_at: int
    last_at: int
    next_at: int | None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A delivery with the body that is posted."""

    delivery: Delivery
    body: bytes


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
        delivery: None where events were passed that are none of the endpoint's business.
        body: kept with the delivery; None once it is delivered.
    """

    webhook_id: str
    generation: int
    progress: Progress | None
    delivery: Delivery | None
    body: bytes | None = None


# Statements are built once: building one costs as much as running it.
_ADVANCE: Final = (
    update(_cursor)
    .where(_cursor.c.webhook_id == bindparam("webhook"))
    .values(
        position=bindparam("new_position"), failures=bindparam("new_failures"), dead=bindparam("new_dead")
    )
)
_ONE: Final = select(*_SHOWN).where(
    _delivery.c.webhook_id == bindparam("webhook"), _delivery.c.event_id == bindparam("event")
)
_OPEN: Final = (
    select(_delivery)
    .where(
        _delivery.c.webhook_id == bindparam("webhook"),
        _delivery.c.state == bindparam("state"),
        _delivery.c.next_at <= bindparam("now"),
    )
    .order_by(_delivery.c.event_id)
    .limit(bindparam("limit"))
)
_DUE: Final = (
    select(_delivery.c.webhook_id)
    .where(_delivery.c.state == DeliveryState.REDRIVEN, _delivery.c.next_at <= bindparam("now"))
    .distinct()
)


class WebhookDeliveryRepository:
    """Keeps deliveries. The lease of the endpoint fences whoever writes what came of them."""

    def __init__(self, database: Database) -> None:
        """Uses `database`; concurrent outcomes share commits."""
        self._database = database
        self._settle: GroupCommit[Outcome, bool] = GroupCommit(database, _settle)

    async def settle(self, outcome: Outcome) -> bool:
        """Writes what an attempt has changed; writing it twice changes nothing more.

        Returns:
            Whether it was written: False where the lease is not in force any more.

        Raises:
            DatabaseFailure: as `Database.write`.
        """
        return await self._settle.write(outcome)

    async def pending(self, webhook_id: str) -> Undelivered | None:
        """Returns what an endpoint is tried with at the moment."""
        found = await self._open(webhook_id, DeliveryState.PENDING, now=2**62, limit=1)
        return found[0] if found else None

    async def redriven(self, webhook_id: str, *, now: int, limit: int) -> Sequence[Undelivered]:
        """Returns up to `limit` dead letters that are due to be tried again, by their events' ids."""
        return await self._open(webhook_id, DeliveryState.REDRIVEN, now=now, limit=limit)

    async def endpoints_due(self, *, now: int) -> Collection[str]:
        """Returns the ids of endpoints that have dead letters which are due to be tried again."""
        found: Sequence[str] = await self._database.read(
            lambda c: c.execute(_DUE, {"now": now}).scalars().all()
        )
        return found

    async def find(self, webhook_id: str, event_id: str) -> Delivery | None:
        """Returns what became of an event; None where nothing was tried yet, or nobody remembers."""
        return await find_one(self._database, _ONE, delivery_of, webhook=webhook_id, event=event_id)

    async def page(
        self, webhook_id: str, *, states: Collection[DeliveryState], before: str, limit: int
    ) -> Sequence[Delivery]:
        """Returns up to `limit` of an endpoint's deliveries, those of the newest events first.

        Args:
            webhook_id: whose.
            states: those alone; none of them for all.
            before: the event's id before which the page begins; "" for the first page.
            limit: at least 1.
        """
        statement = select(*_SHOWN).where(_delivery.c.webhook_id == webhook_id)
        if states:
            statement = statement.where(_delivery.c.state.in_(states))
        if before:
            statement = statement.where(_delivery.c.event_id < before)
        statement = statement.order_by(_delivery.c.event_id.desc()).limit(limit)
        return await find_all(self._database, statement, delivery_of)

    async def redrive(self, webhook_id: str, event_ids: Collection[str] | None, *, now: int) -> int:
        """Has dead letters tried again.

        Args:
            webhook_id: whose.
            event_ids: of their events; None for all of them.
            now: epoch milliseconds.

        Returns:
            How many there were.
        """
        statement = update(_delivery).where(
            _delivery.c.webhook_id == webhook_id, _delivery.c.state == DeliveryState.DEAD
        )
        if event_ids is not None:
            statement = statement.where(_delivery.c.event_id.in_(event_ids))
        statement = statement.values(state=DeliveryState.REDRIVEN, attempts=0, next_at=now)
        touched: int = await self._database.write(lambda c: c.execute(statement).rowcount)
        return touched

    async def forget(self, state: DeliveryState, *, before: int, limit: int) -> int:
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

    async def trim(self, webhook_id: str, state: DeliveryState, *, keep: int, limit: int) -> int:
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

    async def _open(
        self, webhook_id: str, state: DeliveryState, *, now: int, limit: int
    ) -> Sequence[Undelivered]:
        parameters = {"webhook": webhook_id, "state": state, "now": now, "limit": limit}
        rows = await self._database.read(lambda c: c.execute(_OPEN, parameters).all())
        return [
            Undelivered(delivery_of(**{k: v for k, v in row._mapping.items() if k != "body"}), row.body)  # noqa: SLF001 - SQLAlchemy's public name
            for row in rows
        ]


def delivery_of(*, state: str, **columns: object) -> Delivery:
    """The delivery that a row's columns, by name, say."""
    return Delivery(state=DeliveryState(state), **columns)  # type: ignore[arg-type] # as stored


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
        }
        for outcome in written
        if outcome.progress is not None
    ]
    if advances:
        connection.execute(_ADVANCE, advances)
    rows = [
        {**asdict(outcome.delivery), "body": outcome.body}
        for outcome in written
        if outcome.delivery is not None
    ]
    if rows:
        connection.execute(_upsert(connection.dialect.name), rows)
    return [(outcome.webhook_id, outcome.generation) in in_force for outcome in outcomes]
