"""The tables of webhooks and their deliveries; see `server.store.tables`."""

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel


class WebhookRow(SQLModel, table=True):
    """An endpoint of an organization's that events are posted to."""

    __tablename__ = "webhook"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    # Whose events alone; none for all of the organization's.
    session_id: str | None = Field(default=None, foreign_key="session.id", ondelete="CASCADE", index=True)
    url: str
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    active: bool
    # As it was given: signing needs it. See docs/decisions/0330.
    secret: str | None = None
    custom_headers: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    policy: str
    delay_seconds: int
    attempts: int
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    # Rises with every change, so that who posts to it can tell that what it knows is old.
    revision: int = Field(sa_type=BigInteger)
    # The newest event of the organization when it was made: it hears of what came behind.
    starts_after: str


class WebhookCursorRow(SQLModel, table=True):
    """How far an endpoint has been told of its organization's log, and which node tells it."""

    __tablename__ = "webhook_cursor"

    webhook_id: str = Field(primary_key=True, foreign_key="webhook.id", ondelete="CASCADE")
    organization_id: str
    # The id of the newest event that is settled: delivered, given up, or none of its business.
    position: str
    # Attempts that failed, and events given up, since it last took something; and whether its circuit is
    # open: what it has not taken waits in the log.
    failures: int
    dead: int
    suspended: bool
    # The lease, as in `session`.
    owner_node: str | None = None
    owner_boot: str | None = None
    owner_generation: int = Field(default=0, sa_type=BigInteger)
    owner_expires_at: int | None = Field(default=None, sa_type=BigInteger)


class WebhookDeliveryRow(SQLModel, table=True):
    """What became of one event at one endpoint."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_state", "webhook_id", "state", "event_id"),
        Index("ix_webhook_delivery_due", "state", "last_at"),
    )

    webhook_id: str = Field(primary_key=True, foreign_key="webhook.id", ondelete="CASCADE")
    event_id: str = Field(primary_key=True)
    event: str
    session_id: str | None = None
    # pending, delivered, dead, or redriven: a dead one that is tried again.
    state: str
    attempts: int
    # The last attempt's: the answer's status, and why it failed.
    status: int | None = None
    error: str | None = None
    began_at: int = Field(sa_type=BigInteger)
    last_at: int = Field(sa_type=BigInteger)
    next_at: int | None = Field(default=None, sa_type=BigInteger)
    # The envelope, while it is not delivered: the log may have forgotten the event by then.
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
