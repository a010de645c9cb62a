"""History as it came, until it is part of the stored copy."""

import zlib
from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from server.store.contents import Contents, Unread
from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.dialect import insert
from server.store.event_payloads import organizations_of
from server.store.events import append_events
from server.store.failures import is_missing_parent
from server.store.history_records import KeptPiece, NewChunk, Past
from server.store.history_tables import HistoryChunkRow, HistoryPieceRow
from server.store.past import Added, store_past
from server.store.records import NewEvent
from server.store.session_turn import take_turn
from server.store.tables import table_of

_chunk = table_of(HistoryChunkRow)
_piece = table_of(HistoryPieceRow)

SYNCED: Final = "history.synced"
"""The event of a chunk of history that is part of the stored copy now."""

_FAST: Final = 1
"""zlib's level: a third of the bytes at a hundred megabytes a second."""

_NEXT: Final = (
    select(
        _piece.c.number,
        _piece.c.data,
        _piece.c.chunk_id,
        _chunk.c.session_id,
        _chunk.c.kind,
        _chunk.c.own_jid,
        _chunk.c.own_lid,
        _chunk.c.received_at,
    )
    .join(_chunk, _chunk.c.id == _piece.c.chunk_id)
    .order_by(_piece.c.number)
    .limit(1)
)
_TAKE: Final = delete(_piece).where(_piece.c.number == bindparam("taken"))
_COUNT: Final = (
    update(_chunk)
    .where(_chunk.c.id == bindparam("chunk"))
    .values(
        chats=_chunk.c.chats + bindparam("new_chats"),
        messages=_chunk.c.messages + bindparam("new_messages"),
    )
)
_LEFT: Final = select(_piece.c.number).where(_piece.c.chunk_id == bindparam("chunk")).limit(1)
_FINISHED: Final = select(_chunk).where(_chunk.c.id == bindparam("chunk"))
_FORGET: Final = delete(_chunk).where(_chunk.c.id == bindparam("chunk"))


class HistoryRepository:
    """Keeps chunks of history, and makes them part of the stored copy piece by piece."""

    def __init__(self, database: Database, contents: Contents | None = None) -> None:
        """Uses a database.

        Args:
            database: which.
            contents: reads polls and what is sealed; without it votes are not counted.
        """
        self._database = database
        self._contents = contents or Unread()

    async def keep(self, chunk: NewChunk) -> None:
        """Keeps a chunk as it came, all of it in one transaction. Kept twice, it is one.

        Raises:
            SessionGoneError: its session is not stored.
            DatabaseFailure: the database failed; it may be kept again.
        """

        def work(connection: Connection) -> None:
            dialect = connection.dialect.name
            row = {
                "id": chunk.id,
                "session_id": chunk.session_id,
                "kind": chunk.kind,
                "progress": chunk.progress,
                "own_jid": chunk.own_jid,
                "own_lid": chunk.own_lid,
                "received_at": chunk.received_at,
                "chats": 0,
                "messages": 0,
            }
            new = insert(dialect, _chunk).on_conflict_do_nothing().returning(_chunk.c.id)
            if connection.execute(new, row).first() is not None:
                pieces = [{"chunk_id": chunk.id, "data": piece} for piece in chunk.pieces]
                connection.execute(_piece.insert(), pieces)

        try:
            await self._database.write(work)
        except IntegrityError as error:
            if is_missing_parent(error):
                raise SessionGoneError from error
            raise

    async def next_piece(
        self, *, sessions: Collection[str] | None = None, before: int | None = None
    ) -> KeptPiece | None:
        """The piece that waits for longest, or None where none does.

        Args:
            sessions: whose; None for everybody's.
            before: epoch milliseconds; only what was received earlier. None for any time.
        """
        statement = _NEXT
        if sessions is not None:
            statement = statement.where(_chunk.c.session_id.in_(sessions))
        if before is not None:
            statement = statement.where(_chunk.c.received_at < before)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        if row is None:
            return None
        fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
        return KeptPiece(**(fields | {"data": unpacked(fields["data"])}))

    async def finish(self, piece: KeptPiece, past: Past | None) -> Added | None:
        """Stores what a piece says and forgets the piece, in one transaction.

        With the last piece of a chunk, the chunk's event is appended.

        Args:
            piece: of `next_piece`.
            past: what it says; None where nothing can be made of it.

        Returns:
            What was not there before; None where another node had finished the piece.

        Raises:
            DatabaseFailure: the database failed; the piece may be finished again.
        """

        def work(connection: Connection) -> Added | None:
            take_turn(connection, [piece.session_id])
            if connection.execute(_TAKE, {"taken": piece.number}).rowcount == 0:
                return None
            added = Added(0, 0) if past is None else store_past(connection, past, self._contents)
            chunk = {"chunk": piece.chunk_id}
            # The chunk's row is held from here on: of two nodes the later one sees the other's piece gone.
            connection.execute(_COUNT, chunk | {"new_chats": added.chats, "new_messages": added.messages})
            if connection.execute(_LEFT, chunk).first() is None:
                _append_synced(connection, piece.chunk_id)
                connection.execute(_FORGET, chunk)
            return added

        return await self._database.write(work)

    async def waiting(self, session_id: str) -> int:
        """How many pieces of a session wait to be stored."""
        statement = (
            select(func.count())
            .select_from(_piece.join(_chunk, _chunk.c.id == _piece.c.chunk_id))
            .where(_chunk.c.session_id == session_id)
        )
        count: int = await self._database.read(lambda c: c.execute(statement).scalar_one())
        return count


def packed(piece: bytes) -> bytes:
    """A piece as it is kept. Takes a while: call it outside of the event loop."""
    return zlib.compress(piece, _FAST)


def unpacked(data: bytes) -> bytes:
    """What `packed` was given."""
    return zlib.decompress(data)


def _append_synced(connection: Connection, chunk_id: str) -> None:
    row = connection.execute(_FINISHED, {"chunk": chunk_id}).one()
    payload = {
        "chats": row.chats,
        "messages": row.messages,
        "progress": row.progress,
        "timestamp": row.received_at,
        "type": row.kind,
    }
    organization = organizations_of(connection, [row.session_id])[row.session_id]
    append_events(connection, [NewEvent(organization, row.session_id, SYNCED, row.received_at, payload)])
