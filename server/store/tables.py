"""The tables; those of webhooks and of kept history have files of their own.

A change needs a migration beside it; a test compares the two.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

RowId = BigInteger().with_variant(Integer, "sqlite")
"""Of columns that number rows: SQLite does that by itself only in a column of type INTEGER."""


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


class TicketRow(SQLModel, table=True):
    """A ticket that waits to be redeemed: its hash, the credential behind it, and what it opens."""

    __tablename__ = "ticket"

    secret_hash: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    subject: str
    kind: str
    # What is known of a login token, which is not stored; of an api-key its own row tells all.
    signed_by: str
    token_expires_at: int | None = Field(default=None, sa_type=BigInteger)
    sessions: list[str] = Field(sa_column=Column(JSON, nullable=False))
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    expires_at: int = Field(sa_type=BigInteger, index=True)


class AuditRow(SQLModel, table=True):
    """Who changed what, and how it ended. Nothing updates a row, and age alone deletes one."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
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
    # The status that its readers were told last (server.store.standings): no record's field.
    told_status: str = "stopped"
    # The lease: who holds it, in which life of that node, until when unless renewed. The generation
    # counts holders; what carries an older one comes from a node that lost the session.
    owner_node: str | None = None
    owner_boot: str | None = None
    owner_generation: int = Field(default=0, sa_type=BigInteger)
    owner_expires_at: int | None = Field(default=None, sa_type=BigInteger)


class ChatRow(SQLModel, table=True):
    """A conversation in the stored copy."""

    __tablename__ = "chat"
    __table_args__ = (UniqueConstraint("session_id", "jid"),)

    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
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
        Index("ix_message_wa_message_id", "chat_id", "wa_message_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
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
    edited: bool = False
    # The time of the newest edit: an older one that comes later, or again, changes nothing.
    edited_at: int | None = Field(default=None, sa_type=BigInteger)
    deleted: bool = False
    # Deleted here alone: kept, so that the same stanza does not bring it back, and shown no more.
    hidden: bool = False
    quoted_id: str | None = None
    mentions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class ReactionRow(SQLModel, table=True):
    """One person's reaction to a message; the emoji "" keeps the time at which it was taken back."""

    __tablename__ = "reaction"

    message_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        )
    )
    sender_jid: str = Field(primary_key=True, index=True)
    emoji: str
    timestamp: int = Field(sa_type=BigInteger)


class PollVoteRow(SQLModel, table=True):
    """What one person has chosen in a poll; no options keep the time at which a vote was taken back."""

    __tablename__ = "poll_vote"

    message_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        )
    )
    voter_jid: str = Field(primary_key=True, index=True)
    # By their texts.
    options: list[str] = Field(sa_column=Column(JSON, nullable=False))
    timestamp: int = Field(sa_type=BigInteger)


class MessageReceiptRow(SQLModel, table=True):
    """How far an own message came with one member of a group."""

    __tablename__ = "message_receipt"

    message_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        )
    )
    participant_jid: str = Field(primary_key=True, index=True)
    ack_level: int
    timestamp: int = Field(sa_type=BigInteger)


class EarlyArrivalRow(SQLModel, table=True):
    """An act or a receipt whose message is not stored yet. Most never find one, and go with their age."""

    __tablename__ = "early_arrival"
    __table_args__ = (
        # The same act twice waits once.
        UniqueConstraint("session_id", "wa_message_id", "digest"),
    )

    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE")
    wa_message_id: str
    digest: str
    arrival: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    # When it was received.
    at: int = Field(sa_type=BigInteger, index=True)


class SentAtRow(SQLModel, table=True):
    """When a session used up a part of its send rate. Older than an hour, it counts no more."""

    __tablename__ = "sent_at"

    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE")
    at: int = Field(sa_type=BigInteger)

    __table_args__ = (Index("ix_sent_at_session", "session_id", "at"),)


class IdempotencyRow(SQLModel, table=True):
    """A key that a caller sent with a message, and what became of that message.

    It is there before anything is sent. A row without a status whose generation is not the session's any
    more comes from a node that ended between: nobody knows the outcome.
    """

    __tablename__ = "idempotency"

    organization_id: str = Field(primary_key=True, foreign_key="organization.id")
    key: str = Field(primary_key=True)
    session_id: str
    generation: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger, index=True)
    status: str | None = None
    outbox_id: str | None = None
    wa_message_id: str | None = None
    timestamp: int | None = Field(default=None, sa_type=BigInteger)


class OutboxRow(SQLModel, table=True):
    """A message that was accepted to be sent later."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "session_id", "status", "number"),)

    # The order of acceptance.
    number: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))
    id: str = Field(unique=True)
    organization_id: str = Field(foreign_key="organization.id")
    session_id: str = Field(foreign_key="session.id", ondelete="CASCADE")
    recipient: str
    # The caller's message, as composing reads it.
    draft: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    created_at: int = Field(sa_type=BigInteger)
    # queued, sending, or how it ended: sent, failed, indeterminate.
    status: str
    # The generation of the lease under which it is being sent.
    generation: int | None = Field(default=None, sa_type=BigInteger)
    settled_at: int | None = Field(default=None, sa_type=BigInteger, index=True)
    error: str | None = None
    wa_message_id: str | None = None


class EventRow(SQLModel, table=True):
    """Something that happened, as readers follow it: strictly increasing per organization."""

    __tablename__ = "event"

    organization_id: str = Field(primary_key=True, foreign_key="organization.id")
    id: str = Field(primary_key=True)
    session_id: str | None = None
    name: str
    timestamp: int = Field(sa_type=BigInteger)
    payload: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))


class EventHeadRow(SQLModel, table=True):
    """Where an organization's log ends and begins. Locked by whoever appends, so that ids rise."""

    __tablename__ = "event_head"

    organization_id: str = Field(primary_key=True, foreign_key="organization.id")
    last_id: str
    # The newest id that retention deleted, so that a reader behind it can be told.
    forgotten_id: str


class AddressRow(SQLModel, table=True):
    """Which phone number a LID belongs to, as one session has learned it."""

    __tablename__ = "address"

    session_id: str = Field(primary_key=True, foreign_key="session.id", ondelete="CASCADE")
    lid: str = Field(primary_key=True)
    phone_jid: str = Field(index=True)


class PushNameRow(SQLModel, table=True):
    """How a person calls themself, as a phone's history told: the name of a chat that has no other."""

    __tablename__ = "push_name"

    session_id: str = Field(primary_key=True, foreign_key="session.id", ondelete="CASCADE")
    jid: str = Field(primary_key=True)
    name: str


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a model: statements over it give plain rows, not objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
