"""Organizations and their api-keys."""

from collections.abc import Sequence

from sqlalchemy import select, update

from server.store.database import Database
from server.store.dialect import insert
from server.store.records import ApiKey, Organization
from server.store.tables import ApiKeyRow, OrganizationRow, table_of

_organization = table_of(OrganizationRow)
_key = table_of(ApiKeyRow)
_key_columns = [column for column in _key.c if column.name != "secret_hash"]


class ApiKeyRepository:
    """Stores api-keys by the hash of their secret."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def organization(self, organization: Organization) -> Organization:
        """Returns the organization of that name, storing the given one where there is none."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(connection.dialect.name, _organization)
                .values(id=organization.id, name=organization.name, created_at=organization.created_at)
                .on_conflict_do_nothing(index_elements=["name"])
            )
            row = (
                await connection.execute(
                    select(_organization).where(_organization.c.name == organization.name)
                )
            ).one()
        return Organization(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def add(self, key: ApiKey, secret_hash: str) -> None:
        """Stores a key.

        Args:
            key: what it may do and for whom.
            secret_hash: SHA-256 of the secret, in hex.
        """
        async with self._database.write() as connection:
            await connection.execute(
                _key.insert().values(
                    id=key.id,
                    organization_id=key.organization_id,
                    secret_hash=secret_hash,
                    label=key.label,
                    permissions=list(key.permissions),
                    created_at=key.created_at,
                    revoked_at=key.revoked_at,
                )
            )

    async def find(self, secret_hash: str) -> ApiKey | None:
        """Returns the key with that hash, revoked or not."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(*_key_columns).where(_key.c.secret_hash == secret_hash))
            ).one_or_none()
        return None if row is None else ApiKey(**row._mapping)  # noqa: SLF001 - as above

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key, oldest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(*_key_columns).order_by(_key.c.id))).all()
        return [ApiKey(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def revoke(self, key_id: str, at: int) -> bool:
        """Revokes a key.

        Args:
            key_id: its id, not its secret.
            at: epoch milliseconds.

        Returns:
            Whether there was such a key that was not revoked before.
        """
        async with self._database.write() as connection:
            result = await connection.execute(
                update(_key).where(_key.c.id == key_id, _key.c.revoked_at.is_(None)).values(revoked_at=at)
            )
        return result.rowcount == 1
