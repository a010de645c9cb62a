"""How far webhooks have been told of the log, and what became of each event."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "webhook_cursor",
        sa.Column(
            "webhook_id", sa.String(), sa.ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("dead", sa.Integer(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("owner_node", sa.String(), nullable=True),
        sa.Column("owner_boot", sa.String(), nullable=True),
        sa.Column("owner_generation", sa.BigInteger(), nullable=False),
        sa.Column("owner_expires_at", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column(
            "webhook_id", sa.String(), sa.ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("event_id", sa.String(), primary_key=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
    )
    op.create_index("ix_webhook_delivery_state", "webhook_delivery", ["webhook_id", "state", "event_id"])
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "last_at"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_cursor")
