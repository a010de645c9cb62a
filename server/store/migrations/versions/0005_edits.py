"""When a message was edited, so that edits can be put in order."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("message", sa.Column("edited_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drops the column, and the reactions that were taken back: nothing before this knew them."""
    op.execute(sa.text("DELETE FROM reaction WHERE emoji = ''"))
    op.drop_column("message", "edited_at")
