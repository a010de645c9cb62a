"""The stored sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from server.store.database import Database
from server.store.queries import DELETED_AT_A_TIME, execute, find_all, find_one
from server.store.records import News, Session
from server.store.standings import tell
from server.store.tables import ChatRow, MessageRow, SessionRow, table_of

_session = table_of(SessionRow)
_chat = table_of(ChatRow)
_message = table_of(MessageRow)
RECORD_COLUMNS: Final = tuple(_session.c[field.name] for field in fields(Session))
"""What a `Session` is made of. Who holds it is not part of it: that changes every few seconds."""
_FIND: Final = select(*RECORD_COLUMNS).where(_session.c.id == bindparam("wanted"))


class SessionRepository:
    """Stores sessions. Deleting one deletes its chats and messages too."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def add(self, session: Session) -> None:
        """Stores a new session."""
        await execute(self._database, _session.insert().values(asdict(session)))

    async def find(self, session_id: str) -> Session | None:
        """Returns the session, whoever owns it."""
        return await find_one(self._database, _FIND, Session, wanted=session_id)

    async def page(self, organization_id: str, *, after: str, limit: int) -> Sequence[Session]:
        """Returns up to `limit` of an organization's sessions, oldest first.

        Args:
            organization_id: whose.
            after: the id behind which the page begins; "" for the first page.
            limit: at least 1.
        """
        statement = (
            select(*RECORD_COLUMNS)
            .where(_session.c.organization_id == organization_id, _session.c.id > after)
            .order_by(_session.c.id)
            .limit(limit)
        )
        return await find_all(self._database, statement, Session)

    async def update(
        self,
        session_id: str,
        changes: Mapping[str, object],
        *,
        generation: int | None = None,
        news: Sequence[News] = (),
    ) -> bool:
        """Sets columns of a session, and tells what is new of it in the same transaction.

        Args:
            session_id: which.
            changes: values by field of `Session`; none where it is for the news alone.
            generation: of the lease under which it is changed; None for what anybody may change.
            news: in their order; see `server.store.standings.tell`.

        Returns:
            Whether it was done: the session is still there, and no newer lease has been acquired.
        """
        wanted = _session.c.id == session_id
        if generation is not None:
            wanted &= _session.c.owner_generation == generation
        statement = update(_session).where(wanted).values(dict(changes)) if changes else None

        def work(connection: Connection) -> bool:
            if statement is not None and connection.execute(statement).rowcount != 1:
                return False
            return not news or tell(connection, session_id, news, generation=generation)

        return await self._database.write(work)

    async def delete(self, session_id: str) -> None:
        """Deletes a session with everything stored for it.

        Messages go some at a time before the rest: years of them keep no other writer waiting.
        """
        chats = select(_chat.c.id).where(_chat.c.session_id == session_id)
        some = select(_message.c.id).where(_message.c.chat_id.in_(chats)).limit(DELETED_AT_A_TIME)
        while await execute(self._database, delete(_message).where(_message.c.id.in_(some))):
            pass
        await execute(self._database, delete(_session).where(_session.c.id == session_id))
