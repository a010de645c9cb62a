"""Api-keys that expire and show their last use, users' tokens, and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds them."""
    with op.batch_alter_table("api_key") as api_key:
        api_key.add_column(sa.Column("expires_at", sa.BigInteger(), nullable=True))
        api_key.add_column(sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "user_token",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organization.id"), nullable=False),
        sa.Column("session_id", sa.String(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_user_token_organization_id", "user_token", ["organization_id"])
    op.create_index("ix_user_token_session_id", "user_token", ["session_id"])
    op.create_table(
        "audit",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("audit")
    op.drop_table("user_token")
    with op.batch_alter_table("api_key") as api_key:
        api_key.drop_column("last_used_at")
        api_key.drop_column("expires_at")
