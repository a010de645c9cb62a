"""The tables of history that is kept until it is worked off; see `server.store.tables`."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel

from server.store.tables import RowId


class HistoryChunkRow(SQLModel, table=True):
    """A chunk of history of which pieces wait to be stored."""

    __tablename__ = "history_chunk"

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE", index=True)
    kind: str
    progress: int
    own_jid: str
    own_lid: str | None = None
    received_at: int = Field(sa_type=BigInteger)
    # What its pieces have added so far.
    chats: int
    messages: int


class HistoryPieceRow(SQLModel, table=True):
    """A piece of a chunk of history, packed as it came; gone once it is stored."""

    __tablename__ = "history_piece"

    number: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
    chunk_id: str = Field(foreign_key="history_chunk.id", ondelete="CASCADE", index=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
