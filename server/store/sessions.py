"""The stored sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import delete, select, update

from server.store.database import Database
from server.store.records import Session
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)


class SessionRepository:
    """Stores sessions. Deleting one deletes its chats and messages too."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def add(self, session: Session) -> None:
        """Stores a new session."""
        async with self._database.write() as connection:
            await connection.execute(_session.insert().values(asdict(session)))

    async def find(self, session_id: str) -> Session | None:
        """Returns the session, whoever owns it."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(_session).where(_session.c.id == session_id))
            ).one_or_none()
        return None if row is None else Session(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    async def page(self, organization_id: str, *, after: str, limit: int) -> Sequence[Session]:
        """Returns up to `limit` of an organization's sessions, oldest first.

        Args:
            organization_id: whose.
            after: the id behind which the page begins; "" for the first page.
            limit: at least 1.
        """
        statement = (
            select(_session)
            .where(_session.c.organization_id == organization_id, _session.c.id > after)
            .order_by(_session.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [Session(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def wanted(self) -> Sequence[Session]:
        """Returns the paired sessions that shall be connected."""
        statement = (
            select(_session).where(_session.c.wanted, _session.c.wa_jid.is_not(None)).order_by(_session.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [Session(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def update(self, session_id: str, changes: Mapping[str, object]) -> bool:
        """Sets columns of a session.

        Args:
            session_id: which.
            changes: values by field of `Session`.

        Returns:
            Whether the session is still there.
        """
        async with self._database.write() as connection:
            result = await connection.execute(
                update(_session).where(_session.c.id == session_id).values(dict(changes))
            )
        return result.rowcount == 1

    async def delete(self, session_id: str) -> None:
        """Deletes a session with everything stored for it."""
        async with self._database.write() as connection:
            await connection.execute(delete(_session).where(_session.c.id == session_id))
