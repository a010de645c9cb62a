"""Message actions, idempotency keys, the outbox, send rates, ownership and the event log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables and columns."""
    _widen_session()
    _widen_message()
    _create_outgoing()
    _create_log()


def _widen_session() -> None:
    op.add_column("session", sa.Column("owner_node", sa.String(), nullable=True))
    op.add_column("session", sa.Column("owner_boot", sa.String(), nullable=True))
    op.add_column(
        "session", sa.Column("owner_generation", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("session", sa.Column("owner_expires_at", sa.BigInteger(), nullable=True))


def _widen_message() -> None:
    for name in ("edited", "deleted", "hidden"):
        op.add_column("message", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("message", sa.Column("quoted_id", sa.String(), nullable=True))
    op.add_column("message", sa.Column("mentions", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index("ix_message_wa_message_id", "message", ["chat_id", "wa_message_id"])
    op.create_table(
        "reaction",
        sa.Column(
            "message_id",
            sa.BigInteger(),
            sa.ForeignKey("message.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("sender_jid", sa.String(), primary_key=True),
        sa.Column("emoji", sa.String(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_reaction_sender_jid", "reaction", ["sender_jid"])


def _create_outgoing() -> None:
    op.create_table(
        "sent_at",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_sent_at_session", "sent_at", ["session_id", "at"])
    op.create_table(
        "idempotency",
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("outbox_id", sa.String(), nullable=True),
        sa.Column("wa_message_id", sa.String(), nullable=True),
        sa.Column("timestamp", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "outbox",
        sa.Column("number", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), nullable=False),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("wa_message_id", sa.String(), nullable=True),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["session_id", "status", "number"])
    op.create_index("ix_outbox_settled_at", "outbox", ["settled_at"])


def _create_log() -> None:
    op.create_table(
        "event",
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
    )
    op.create_table(
        "event_head",
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), primary_key=True),
        sa.Column("last_id", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("event_head", "event", "outbox", "idempotency", "sent_at", "reaction"):
        op.drop_table(table)
    op.drop_index("ix_message_wa_message_id", "message")
    for column in ("mentions", "quoted_id", "hidden", "deleted", "edited"):
        op.drop_column("message", column)
    for column in ("owner_expires_at", "owner_generation", "owner_boot", "owner_node"):
        op.drop_column("session", column)
