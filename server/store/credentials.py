"""What api-keys and users' tokens have in common as rows: revocation and last use."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import BindParameter, Connection, Table, bindparam, or_, update

from server.store.audit import append
from server.store.records import AuditLine


def revoke(connection: Connection, table: Table, row_id: str, change: AuditLine) -> bool:
    """Revokes a credential as of `change.at`, and appends the change to the audit.

    Args:
        connection: with a transaction.
        table: where the credential stands; has id, organization_id and revoked_at.
        row_id: which.
        change: what the audit keeps of it; its organization is filled in.

    Returns:
        Whether there was such a credential that was not revoked before.
    """
    statement = (
        update(table)
        .where(table.c.id == row_id, table.c.revoked_at.is_(None))
        .values(revoked_at=change.at)
        .returning(table.c.organization_id)
    )
    organization_id: str | None = connection.execute(statement).scalar_one_or_none()
    if organization_id is None:
        return False
    append(connection, [replace(change, organization_id=organization_id)])
    return True


def touch(connection: Connection, table: Table, uses: Mapping[str, int]) -> None:
    """Notes last uses; one that another node has noted meanwhile and that is later stays.

    Args:
        connection: with a transaction.
        table: where the credentials stand; has id and last_used_at.
        uses: epoch milliseconds by id, at least one.
    """
    used: BindParameter[int] = bindparam("used")
    statement = (
        update(table)
        .where(
            table.c.id == bindparam("row"), or_(table.c.last_used_at.is_(None), table.c.last_used_at < used)
        )
        .values(last_used_at=used)
    )
    # In the order of their ids: two nodes that touch the same rows then never wait for each other.
    connection.execute(statement, [{"row": row, "used": uses[row]} for row in sorted(uses)])
