"""Votes in polls, levels per member of a group, and what comes before its message."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "poll_vote",
        _of_message(),
        sa.Column("voter_jid", sa.String(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "voter_jid"),
    )
    op.create_index("ix_poll_vote_voter_jid", "poll_vote", ["voter_jid"])
    op.create_table(
        "message_receipt",
        _of_message(),
        sa.Column("participant_jid", sa.String(), nullable=False),
        sa.Column("ack_level", sa.Integer(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "participant_jid"),
    )
    op.create_index("ix_message_receipt_participant_jid", "message_receipt", ["participant_jid"])
    op.create_table(
        "early_arrival",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("wa_message_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("arrival", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("session_id", "wa_message_id", "digest"),
    )
    op.create_index("ix_early_arrival_at", "early_arrival", ["at"])


def downgrade() -> None:
    """Drops them, with what they hold."""
    for name in ("early_arrival", "message_receipt", "poll_vote"):
        op.drop_table(name)


def _of_message() -> sa.Column[int]:
    return sa.Column(
        "message_id",
        sa.BigInteger(),
        sa.ForeignKey("message.id", ondelete="CASCADE"),
        nullable=False,
        autoincrement=False,
    )
