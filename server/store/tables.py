"""The tables. A change here needs a migration beside it; a test compares the two."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

# SQLite numbers rows by itself only in a column of type INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")


class SecretRow(SQLModel, table=True):
    """Keys that every node of one installation shares, such as the cursors' signing key."""

    __tablename__ = "secret"

    name: str = Field(primary_key=True)
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OrganizationRow(SQLModel, table=True):
    """A tenant. Nothing crosses its border."""

    __tablename__ = "organization"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    created_at: int = Field(sa_type=BigInteger)


class ApiKeyRow(SQLModel, table=True):
    """An api-key: its hash and what it may do. The key itself is never stored."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    secret_hash: str = Field(unique=True)
    label: str
    permissions: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)


class UserTokenRow(SQLModel, table=True):
    """A token of the WUTS API: its hash, and the one user and session that it stands for."""

    __tablename__ = "user_token"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE", index=True)
    user_name: str
    secret_hash: str = Field(unique=True)
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)


class AuditRow(SQLModel, table=True):
    """Who changed what, and how it ended. Nothing updates a row, and age alone deletes one."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, sa_column=Column(_RowId, primary_key=True, autoincrement=True))
    at: int = Field(sa_type=BigInteger, index=True)
    # No foreign key: a line outlives what it speaks of.
    organization_id: str
    actor: str
    actor_kind: str
    operation: str
    target: str
    outcome: str
    request_id: str


class SessionRow(SQLModel, table=True):
    """A WhatsApp number held by the gateway."""

    __tablename__ = "session"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    label: str
    auto_read: bool
    presence_typing: bool
    is_admin_session: bool
    created_by: str
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    last_connected_at: int | None = Field(default=None, sa_type=BigInteger)
    rate_per_min: int
    rate_per_hour: int
    # Whether the node shall keep it connected: survives restarts, unlike its status.
    wanted: bool
    phone_number: str | None = None
    wa_jid: str | None = None
    wa_lid: str | None = None
    # Why it ended when WhatsApp ended it: a word of sessions.state.Ending.
    ending: str | None = None


class ChatRow(SQLModel, table=True):
    """A conversation in the stored copy."""

    __tablename__ = "chat"
    __table_args__ = (UniqueConstraint("session_id", "jid"),)

    id: int | None = Field(default=None, sa_column=Column(_RowId, primary_key=True, autoincrement=True))
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE")
    jid: str
    name: str
    last_message_at: int | None = Field(default=None, sa_type=BigInteger)
    unread_count: int
    archived: bool
    pinned: bool
    muted_until: int | None = Field(default=None, sa_type=BigInteger)


class MessageRow(SQLModel, table=True):
    """A message in the stored copy."""

    __tablename__ = "message"
    __table_args__ = (
        # The same stanza twice is one message. Ids are chosen by the sending device, so they are
        # only unique per sender; a send whose id nobody knows yet has none.
        UniqueConstraint("chat_id", "sender_jid", "wa_message_id"),
        Index("ix_message_page", "chat_id", "timestamp", "created_at", "id"),
    )

    id: int | None = Field(default=None, sa_column=Column(_RowId, primary_key=True, autoincrement=True))
    chat_id: int = Field(foreign_key="chat.id", ondelete="CASCADE", sa_type=BigInteger)
    wa_message_id: str | None = None
    sender_jid: str
    from_me: bool
    type: str
    body: str
    ack_level: int
    error: str | None = None
    timestamp: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    # The waE2E.Message as it travelled: what quoting and forwarding need later.
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AddressRow(SQLModel, table=True):
    """Which phone number a LID belongs to, as one session has learned it."""

    __tablename__ = "address"

    session_id: str = Field(primary_key=True, foreign_key="session.id", ondelete="CASCADE")
    lid: str = Field(primary_key=True)
    phone_jid: str = Field(index=True)


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a model: statements over it give plain rows, not objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
