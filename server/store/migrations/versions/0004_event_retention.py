"""How far an organization's event log was forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column(
        "event_head",
        sa.Column("forgotten_id", sa.String(), nullable=False, server_default="evt_" + "0" * 26),
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_column("event_head", "forgotten_id")
