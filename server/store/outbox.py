"""The outbox: messages that were accepted and are sent later."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.group_commit import GroupCommit
from server.store.idempotency import reserve_keys
from server.store.leases import held_sessions
from server.store.queries import execute, find_all
from server.store.records import IdempotencyKey, KeptResult, OutboxEntry
from server.store.reservations import count_sends
from server.store.tables import OutboxRow, table_of

_outbox = table_of(OutboxRow)
_ENTRY: Final = (
    _outbox.c.number,
    _outbox.c.id,
    _outbox.c.organization_id,
    _outbox.c.session_id,
    _outbox.c.recipient,
    _outbox.c.draft,
    _outbox.c.created_at,
)


_SETTLE: Final = (
    update(_outbox)
    .where(_outbox.c.number == bindparam("entry"))
    .values(
        status=bindparam("how"),
        settled_at=bindparam("when"),
        error=bindparam("why"),
        wa_message_id=bindparam("message"),
    )
)


class OutboxStatus(StrEnum):
    """Where an accepted message stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A message to accept. `created_at` is epoch milliseconds."""

    id: str
    organization_id: str
    session_id: str
    recipient: str
    draft: dict[str, object]
    created_at: int
    key: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry to take for sending, under a lease; `at` counts towards the rate, unless it is None."""

    number: int
    session_id: str
    generation: int
    at: int | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an entry ended. Times are epoch milliseconds.

    Attributes:
        expected: how it must stand for this to be written, so that nothing is written twice; None for
            what is learned later.
    """

    number: int
    status: OutboxStatus
    settled_at: int
    error: str | None
    wa_message_id: str | None
    expected: OutboxStatus | None = None


class OutboxRepository:
    """Accepts, hands out and takes back entries."""

    def __init__(self, database: Database) -> None:
        """Uses `database`; concurrent writes share commits."""
        self._database = database
        self._accept: GroupCommit[NewEntry, KeptResult | None] = GroupCommit(database, _accept)

    async def accept(self, entry: NewEntry) -> KeptResult | None:
        """Stores an entry with its key; durable when this returns.

        Returns:
            None where it was accepted, else what is kept under its key.

        Raises:
            SessionGoneError: the session was deleted.
        """
        try:
            return await self._accept.write(entry)
        except IntegrityError as error:
            raise SessionGoneError from error

    async def waiting(self, session_id: str, *, behind: int, limit: int) -> Sequence[OutboxEntry]:
        """Returns up to `limit` queued entries of a session with numbers above `behind`, oldest first."""
        statement = select(*_ENTRY).where(
            _outbox.c.session_id == session_id,
            _outbox.c.status == OutboxStatus.QUEUED,
            _outbox.c.number > behind,
        )
        return await find_all(self._database, statement.order_by(_outbox.c.number).limit(limit), OutboxEntry)

    async def left_behind(self, session_id: str, generation: int) -> Sequence[OutboxEntry]:
        """Returns what an earlier holder of the session was sending when it ended."""
        statement = select(*_ENTRY).where(
            _outbox.c.session_id == session_id,
            _outbox.c.status == OutboxStatus.SENDING,
            _outbox.c.generation != generation,
        )
        return await find_all(self._database, statement.order_by(_outbox.c.number), OutboxEntry)

    async def sessions_waiting(self) -> Sequence[str]:
        """Returns the sessions that have entries to send or to settle."""
        open_words = (OutboxStatus.QUEUED, OutboxStatus.SENDING)
        statement = select(_outbox.c.session_id).where(_outbox.c.status.in_(open_words)).distinct()
        found: Sequence[str] = await self._database.read(lambda c: c.execute(statement).scalars().all())
        return found

    async def claim(self, claims: Sequence[Claim]) -> Sequence[bool]:
        """Takes entries for sending; says of each whether it was still there and the lease in force."""
        return await self._database.write(lambda connection: _claim(connection, claims))

    async def put_back(self, number: int) -> None:
        """Queues an entry again that certainly was not sent."""
        statement = update(_outbox).where(
            _outbox.c.number == number, _outbox.c.status == OutboxStatus.SENDING
        )
        await execute(self._database, statement.values(status=OutboxStatus.QUEUED, generation=None))

    async def overdue(self, before: int, *, limit: int) -> Sequence[OutboxEntry]:
        """Returns up to `limit` queued entries that were accepted before a time in epoch milliseconds."""
        statement = select(*_ENTRY).where(
            _outbox.c.status == OutboxStatus.QUEUED, _outbox.c.created_at < before
        )
        return await find_all(self._database, statement.order_by(_outbox.c.number).limit(limit), OutboxEntry)

    async def forget(self, before: int, *, limit: int) -> int:
        """Forgets entries that ended before a time in epoch milliseconds; returns how many (<= limit)."""
        old = select(_outbox.c.number).where(_outbox.c.settled_at < before).limit(limit)
        return await execute(self._database, delete(_outbox).where(_outbox.c.number.in_(old)))


def settle_entries(connection: Connection, settlements: Sequence[Settlement]) -> set[int]:
    """Writes how entries ended, in the transaction of `connection`.

    Returns:
        The numbers of those that did not stand as expected and are unchanged.
    """
    expecting = [s.number for s in settlements if s.expected is not None]
    standing: dict[int, str] = {}
    if expecting:
        current = select(_outbox.c.number, _outbox.c.status).where(_outbox.c.number.in_(expecting))
        rows = connection.execute(current.order_by(_outbox.c.number).with_for_update())
        standing = {row.number: row.status for row in rows}
    missed = {s.number for s in settlements if s.expected not in {None, standing.get(s.number)}}
    written = [_parameters(s) for s in settlements if s.number not in missed]
    if written:
        connection.execute(_SETTLE, written)
    return missed


def _parameters(settlement: Settlement) -> dict[str, object]:
    return {
        "entry": settlement.number,
        "how": settlement.status,
        "when": settlement.settled_at,
        "why": settlement.error,
        "message": settlement.wa_message_id,
    }


def _accept(connection: Connection, entries: Sequence[NewEntry]) -> Sequence[KeptResult | None]:
    first: dict[IdempotencyKey, NewEntry] = {}
    for entry in entries:
        if entry.key is not None:
            first.setdefault(entry.key, entry)
    kept = reserve_keys(
        connection,
        [
            {
                "organization_id": key.organization_id,
                "key": key.key,
                "session_id": entry.session_id,
                "generation": 0,
                "created_at": entry.created_at,
                "status": OutboxStatus.QUEUED,
                "outbox_id": entry.id,
            }
            for key, entry in first.items()
        ],
    )
    results: list[KeptResult | None] = []
    accepted: list[dict[str, object]] = []
    for entry in entries:
        earlier = kept[entry.key] if entry.key is not None else None
        if earlier is None and entry.key is not None and first[entry.key] is not entry:
            earlier = KeptResult(entry.session_id, 0, OutboxStatus.QUEUED, first[entry.key].id, None, None)
        results.append(earlier)
        if earlier is None:
            accepted.append(
                {
                    "id": entry.id,
                    "organization_id": entry.organization_id,
                    "session_id": entry.session_id,
                    "recipient": entry.recipient,
                    "draft": entry.draft,
                    "created_at": entry.created_at,
                    "status": OutboxStatus.QUEUED,
                }
            )
    if accepted:
        connection.execute(_outbox.insert(), accepted)
    return results


def _claim(connection: Connection, claims: Sequence[Claim]) -> Sequence[bool]:
    held = held_sessions(connection, [(c.session_id, c.generation) for c in claims])
    # An entry that is claimed twice in one batch is the first one's.
    valid: dict[int, Claim] = {}
    for claim in claims:
        if (claim.session_id, claim.generation) in held:
            valid.setdefault(claim.number, claim)
    taken: set[int] = set()
    for generation in {claim.generation for claim in valid.values()}:
        numbers = [claim.number for claim in valid.values() if claim.generation == generation]
        statement = (
            update(_outbox)
            .where(_outbox.c.number.in_(numbers), _outbox.c.status == OutboxStatus.QUEUED)
            .values(status=OutboxStatus.SENDING, generation=generation)
            .returning(_outbox.c.number)
        )
        taken.update(connection.execute(statement).scalars())
    won = [claim for number, claim in valid.items() if number in taken]
    count_sends(connection, [(claim.session_id, claim.at) for claim in won if claim.at is not None])
    return [claim.number in taken and valid.get(claim.number) is claim for claim in claims]
