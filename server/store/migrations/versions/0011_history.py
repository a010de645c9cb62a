"""History as it came, and how people call themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "push_name",
        sa.Column(
            "session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("jid", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
    )
    op.create_table(
        "history_chunk",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("own_jid", sa.String(), nullable=False),
        sa.Column("own_lid", sa.String(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("chats", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
    )
    op.create_index("ix_history_chunk_session_id", "history_chunk", ["session_id"])
    op.create_table(
        "history_piece",
        sa.Column("number", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column(
            "chunk_id", sa.String(), sa.ForeignKey("history_chunk.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_history_piece_chunk_id", "history_piece", ["chunk_id"])


def downgrade() -> None:
    """Drops them."""
    for table in ("history_piece", "history_chunk", "push_name"):
        op.drop_table(table)
