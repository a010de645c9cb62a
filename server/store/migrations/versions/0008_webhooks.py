"""Webhooks: where an organization's events are posted to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), nullable=False),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("custom_headers", sa.JSON(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("delay_seconds", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("starts_after", sa.String(), nullable=False),
    )
    op.create_index("ix_webhook_organization_id", "webhook", ["organization_id"])
    op.create_index("ix_webhook_session_id", "webhook", ["session_id"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("webhook")
