"""The audit: appended to, read, and cut off at its old end."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from server.store.database import Database
from server.store.group_commit import GroupCommit
from server.store.queries import execute, find_all
from server.store.records import AuditLine
from server.store.tables import AuditRow, table_of

_audit = table_of(AuditRow)
_insert = _audit.insert()


def append(connection: Connection, lines: Sequence[AuditLine]) -> None:
    """Appends lines in the transaction of `connection`, so that they stand or fall with what they tell."""
    connection.execute(
        _insert,
        [
            {
                "at": line.at,
                "organization_id": line.organization_id,
                "actor": line.actor,
                "actor_kind": line.actor_kind,
                "operation": line.operation,
                "target": line.target,
                "outcome": line.outcome,
                "request_id": line.request_id,
            }
            for line in lines
        ],
    )


class AuditRepository:
    """Stores audit lines."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database
        self._commit = GroupCommit(database, _append_all)

    async def append(self, lines: Sequence[AuditLine]) -> None:
        """Appends lines, together with what others append at the same time; returns after the commit."""
        await self._commit.write_all(lines)

    async def page(
        self, *, after: int, since: int, organization_id: str | None, limit: int
    ) -> Sequence[AuditLine]:
        """Returns up to `limit` lines in the order in which they were stored.

        Args:
            after: the id behind which the page begins; 0 for the first page.
            since: epoch milliseconds; older lines are left out.
            organization_id: whose lines, or None for everybody's.
            limit: at least 1.
        """
        statement = select(_audit).where(_audit.c.id > after, _audit.c.at >= since)
        if organization_id is not None:
            statement = statement.where(_audit.c.organization_id == organization_id)
        return await find_all(self._database, statement.order_by(_audit.c.id).limit(limit), AuditLine)

    async def delete_before(self, at: int, limit: int) -> int:
        """Deletes up to `limit` lines older than `at` (epoch milliseconds); returns how many."""
        old = select(_audit.c.id).where(_audit.c.at < at).order_by(_audit.c.at).limit(limit)
        return await execute(self._database, delete(_audit).where(_audit.c.id.in_(old)))


def _append_all(connection: Connection, lines: Sequence[AuditLine]) -> list[None]:
    append(connection, lines)
    return [None] * len(lines)
