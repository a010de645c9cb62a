"""Organizations, api-keys, sessions and the stored copy."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "secret",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_api_key_organization_id", "api_key", ["organization_id"])
    op.create_table(
        "session",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("auto_read", sa.Boolean(), nullable=False),
        sa.Column("presence_typing", sa.Boolean(), nullable=False),
        sa.Column("is_admin_session", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("last_connected_at", sa.BigInteger(), nullable=True),
        sa.Column("rate_per_min", sa.Integer(), nullable=False),
        sa.Column("rate_per_hour", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("phone_number", sa.String(), nullable=True),
        sa.Column("wa_jid", sa.String(), nullable=True),
        sa.Column("wa_lid", sa.String(), nullable=True),
        sa.Column("ending", sa.String(), nullable=True),
    )
    op.create_index("ix_session_organization_id", "session", ["organization_id"])
    op.create_table(
        "chat",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("jid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_message_at", sa.BigInteger(), nullable=True),
        sa.Column("unread_count", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("muted_until", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("session_id", "jid"),
    )
    op.create_table(
        "message",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("chat_id", sa.BigInteger(), sa.ForeignKey("chat.id", ondelete="CASCADE"), nullable=False),
        sa.Column("wa_message_id", sa.String(), nullable=True),
        sa.Column("sender_jid", sa.String(), nullable=False),
        sa.Column("from_me", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("ack_level", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("chat_id", "sender_jid", "wa_message_id"),
    )
    op.create_index("ix_message_page", "message", ["chat_id", "timestamp", "created_at", "id"])
    op.create_table(
        "address",
        sa.Column(
            "session_id",
            sa.String(),
            sa.ForeignKey("session.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("lid", sa.String(), primary_key=True),
        sa.Column("phone_jid", sa.String(), nullable=False),
    )
    op.create_index("ix_address_phone_jid", "address", ["phone_jid"])


def downgrade() -> None:
    """Drops the tables."""
    for table in ("address", "message", "chat", "session", "api_key", "organization", "secret"):
        op.drop_table(table)
