"""Which status of a session its readers were told last, so that every change is told once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_AT_REST = """
UPDATE session SET told_status = CASE
    WHEN wanted AND wa_jid IS NOT NULL THEN 'starting'
    WHEN ending = 'logged_out' THEN 'logged_out'
    WHEN ending IS NOT NULL THEN 'failed'
    ELSE 'stopped' END
"""


def upgrade() -> None:
    """Adds the column, with where each session stands while no node runs."""
    op.add_column("session", sa.Column("told_status", sa.String(), nullable=False, server_default="stopped"))
    op.execute(sa.text(_AT_REST))


def downgrade() -> None:
    """Drops the column."""
    op.drop_column("session", "told_status")
