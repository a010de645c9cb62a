"""Which node holds a session: a lease with a generation that fences off whoever held it before.

Times are the database's clock alone, so that nodes' clocks may be wrong (docs/decisions/0140).
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from server.store.database import Database
from server.store.dialect import EpochMs
from server.store.life import RELEASED, Life
from server.store.portions import portions
from server.store.records import Session
from server.store.sessions import RECORD_COLUMNS
from server.store.standings import AT_REST
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)


class HeldElsewhereError(Exception):
    """Another node holds the session.

    Attributes:
        node: its id.
    """

    def __init__(self, node: str) -> None:
        super().__init__(f"held by node {node}")
        self.node = node


class SessionMissingError(Exception):
    """There is no such session."""


def held(connection: Connection, session_id: str, generation: int) -> bool:
    """Whether a generation holds its session now, and goes on to until this transaction ends.

    The fence, for use inside a transaction of `Database.write`: no other node can acquire the session before
    that transaction ends, so that whoever comes next sees what it wrote. What is False must not be written.
    Keep the transaction short: others wait for it.
    """
    return bool(held_sessions(connection, [(session_id, generation)]))


def held_sessions(connection: Connection, wanted: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """The same for several (session, generation): those that hold."""
    found: set[tuple[str, int]] = set()
    # In the order of ids, as everybody who locks several sessions does: two in different orders would wait
    # for each other.
    for ids in portions(sorted({session_id for session_id, _ in wanted})):
        rows = connection.execute(
            select(_session.c.id, _session.c.owner_generation)
            .where(_session.c.id.in_(ids), _session.c.owner_expires_at > EpochMs())
            .order_by(_session.c.id)
            .with_for_update(read=True)  # which SQLite, with its one writer, does without
        )
        found.update((row.id, row.owner_generation) for row in rows)
    return found & set(wanted)


class LeaseRepository:
    """Acquires, renews and releases leases for one life of one node."""

    def __init__(self, database: Database, *, node: str, boot: str, seconds: float) -> None:
        """Acquires nothing yet.

        Args:
            database: where the sessions are.
            node: the node's id; no two nodes may have the same.
            boot: a ULID made when this life of the node began.
            seconds: how long a lease lasts unless renewed.
        """
        self._database = database
        self._life = Life(node, boot, seconds)

    async def acquire(self, session_id: str) -> int:
        """Takes a session that nobody holds, whose lease expired, or that an earlier life of this node held.

        Acquiring what this life holds already gives a new generation too, and voids the one before.

        Returns:
            The generation: higher than every one before.

        Raises:
            HeldElsewhereError: another node holds it.
            SessionMissingError: there is no such session.
        """

        def work(connection: Connection) -> int:
            statement = (
                update(_session)
                .where(_session.c.id == session_id, or_(self._free(connection), self._own()))
                .values(
                    owner_node=self._life.node,
                    owner_boot=self._life.boot,
                    owner_generation=_session.c.owner_generation + 1,
                    owner_expires_at=self._life.expiry(),
                )
                .returning(_session.c.owner_generation)
            )
            generation: int | None = connection.execute(statement).scalar_one_or_none()
            if generation is not None:
                return generation
            owner = select(_session.c.owner_node).where(_session.c.id == session_id)
            row = connection.execute(owner).one_or_none()
            if row is None:
                raise SessionMissingError(session_id)
            # Its holder may have let go between the two statements: "" then, and it may be tried again.
            raise HeldElsewhereError(row.owner_node or "")

        return await self._database.write_first(work)

    async def renew(self, generations: Mapping[str, int]) -> set[str]:
        """Renews leases of this life.

        Args:
            generations: of the sessions that this node holds.

        Returns:
            The sessions that it still holds; the others' generation is not the newest any more.
        """
        if not generations:
            return set()

        def work(connection: Connection) -> set[str]:
            renewed: set[str] = set()
            for ids in portions(sorted(generations)):
                # Locked in the order of ids first, as `held_sessions` does.
                locked = (
                    select(_session.c.id)
                    .where(_session.c.id.in_(ids), self._own())
                    .order_by(_session.c.id)
                    .with_for_update()
                    .cte("locked")
                )
                statement = (
                    update(_session)
                    .where(_session.c.id.in_(select(locked.c.id)))
                    .values(owner_expires_at=self._life.expiry())
                    .returning(_session.c.id, _session.c.owner_generation)
                )
                rows = connection.execute(statement).all()
                renewed.update(row.id for row in rows if generations[row.id] == row.owner_generation)
            return renewed

        return await self._database.write_first(work)

    async def release(self, session_id: str, generation: int) -> None:
        """Gives a lease back, where this generation still holds it."""
        statement = (
            update(_session)
            .where(_session.c.id == session_id, self._own(), _session.c.owner_generation == generation)
            .values(**RELEASED)
        )
        await self._database.write_first(lambda connection: connection.execute(statement).rowcount)

    async def release_all(self) -> None:
        """Gives back whatever this life of the node holds."""
        statement = update(_session).where(self._own()).values(**RELEASED)
        await self._database.write_first(lambda connection: connection.execute(statement).rowcount)

    async def holders(self, session_ids: Sequence[str]) -> Mapping[str, str]:
        """The nodes that hold sessions, by session id; those that nobody holds are left out."""

        def work(connection: Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for ids in portions(session_ids):
                statement = select(_session.c.id, _session.c.owner_node).where(
                    _session.c.id.in_(ids), ~self._free(connection)
                )
                found.update((row.id, row.owner_node) for row in connection.execute(statement))
            return found

        return await self._database.read(work) if session_ids else {}

    async def adoptable(self, *, behind: str, limit: int) -> Sequence[Session]:
        """Up to `limit` sessions that shall be connected and that this node could acquire, by their ids.

        Args:
            behind: the id behind which they begin; "" for all.
            limit: at least 1.
        """
        wanted = and_(_session.c.wanted, _session.c.wa_jid.is_not(None), _session.c.id > behind)
        return await self._free_sessions(wanted, limit)

    async def mistold(self, *, behind: str, limit: int) -> Sequence[Session]:
        """Up to `limit` sessions that nobody holds, of which readers were told that they stand elsewhere.

        Whoever held them died before it could tell.

        Args:
            behind: as for `adoptable`.
            limit: at least 1.
        """
        mistold = and_(_session.c.told_status != AT_REST, _session.c.id > behind)
        return await self._free_sessions(mistold, limit)

    async def _free_sessions(self, wanted: ColumnElement[bool], limit: int) -> list[Session]:
        def work(connection: Connection) -> list[Session]:
            statement = select(*RECORD_COLUMNS).where(wanted, self._free(connection))
            rows = connection.execute(statement.order_by(_session.c.id).limit(limit))
            return [Session(*row) for row in rows]

        return await self._database.read(work)

    def _own(self) -> ColumnElement[bool]:
        return self._life.owns(_session)

    def _free(self, connection: Connection) -> ColumnElement[bool]:
        return self._life.may_take(_session, connection)
