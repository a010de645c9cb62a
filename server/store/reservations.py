"""What is written down before a message goes out: its idempotency key and its part of the send rate."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from server.store.database import Database
from server.store.group_commit import GroupCommit
from server.store.idempotency import reserve_keys
from server.store.leases import held_sessions
from server.store.queries import execute
from server.store.records import IdempotencyKey, KeptResult
from server.store.tables import SentAtRow, table_of

_sent_at = table_of(SentAtRow)


class LeaseLostError(Exception):
    """The session is not held under this generation any more: nothing may be sent for it here."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to send one message.

    Attributes:
        generation: of the lease under which it will be sent.
        at: when it counts towards the rate, epoch milliseconds; None where it does not count.
        key: the caller's idempotency key.
    """

    session_id: str
    generation: int
    now: int
    at: int | None
    key: IdempotencyKey | None


class ReservationRepository:
    """Reserves, many at a time in one commit."""

    def __init__(self, database: Database) -> None:
        """Uses `database`; concurrent reservations share commits."""
        self._database = database
        self._commit: GroupCommit[Reservation, KeptResult | bool] = GroupCommit(database, _reserve)

    async def reserve(self, reservation: Reservation) -> KeptResult | None:
        """Writes a reservation down.

        Returns:
            None where the message may be sent now, else what is kept under its key.

        Raises:
            LeaseLostError: the session is held by somebody else; nothing is reserved.
        """
        outcome = await self._commit.write(reservation)
        if isinstance(outcome, KeptResult):
            return outcome
        if not outcome:
            raise LeaseLostError(reservation.session_id)
        return None

    async def sent_since(self, session_id: str, since: int) -> Sequence[int]:
        """When a session used its rate after a time, oldest first; all in epoch milliseconds."""
        statement = select(_sent_at.c.at).where(_sent_at.c.session_id == session_id, _sent_at.c.at > since)
        found: Sequence[int] = await self._database.read(
            lambda c: c.execute(statement.order_by(_sent_at.c.at)).scalars().all()
        )
        return found

    async def may_be_under_way(self, kept: KeptResult) -> bool:
        """Whether whoever reserved a key still holds its session, and so may be sending under it."""
        holder = (kept.session_id, kept.generation)
        return bool(await self._database.read(lambda c: held_sessions(c, [holder])))

    async def forget(self, before: int, *, limit: int) -> int:
        """Forgets use of the rate before a time in epoch milliseconds; returns how much (<= limit)."""
        old = select(_sent_at.c.id).where(_sent_at.c.at < before).limit(limit)
        return await execute(self._database, delete(_sent_at).where(_sent_at.c.id.in_(old)))


def count_sends(connection: Connection, sends: Sequence[tuple[str, int]]) -> None:
    """Counts sends, (session, epoch milliseconds) each, towards their sessions' rates."""
    if sends:
        connection.execute(
            _sent_at.insert(), [{"session_id": session_id, "at": at} for session_id, at in sends]
        )


def _reserve(connection: Connection, batch: Sequence[Reservation]) -> Sequence[KeptResult | bool]:
    held = held_sessions(connection, [(r.session_id, r.generation) for r in batch])
    valid = [r for r in batch if (r.session_id, r.generation) in held]
    # The same key twice in one batch: the first one has it.
    first: dict[IdempotencyKey, Reservation] = {}
    for reservation in valid:
        if reservation.key is not None:
            first.setdefault(reservation.key, reservation)
    kept = reserve_keys(
        connection,
        [
            {
                "organization_id": key.organization_id,
                "key": key.key,
                "session_id": r.session_id,
                "generation": r.generation,
                "created_at": r.now,
            }
            for key, r in first.items()
        ],
    )
    outcomes: list[KeptResult | bool] = []
    counted: list[tuple[str, int]] = []
    for reservation in batch:
        outcome: KeptResult | bool = (reservation.session_id, reservation.generation) in held
        if outcome and reservation.key is not None:
            earlier = kept[reservation.key]
            if earlier is not None:
                outcome = earlier
            elif first[reservation.key] is not reservation:
                outcome = KeptResult(reservation.session_id, reservation.generation, None, None, None, None)
        if outcome is True and reservation.at is not None:
            counted.append((reservation.session_id, reservation.at))
        outcomes.append(outcome)
    count_sends(connection, counted)
    return outcomes
