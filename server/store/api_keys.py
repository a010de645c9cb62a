"""Organizations and their api-keys."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from server.store.database import Database
from server.store.dialect import insert
from server.store.queries import execute, find_all, find_one
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

        def run(connection: Connection) -> Organization:
            connection.execute(
                insert(connection.dialect.name, _organization)
                .values(id=organization.id, name=organization.name, created_at=organization.created_at)
                .on_conflict_do_nothing(index_elements=["name"])
            )
            named = select(_organization).where(_organization.c.name == organization.name)
            return Organization(*connection.execute(named).one())

        return await self._database.write(run)

    async def add(self, key: ApiKey, secret_hash: str) -> None:
        """Stores a key.

        Args:
            key: what it may do and for whom.
            secret_hash: SHA-256 of the secret, in hex.
        """
        statement = _key.insert().values(
            id=key.id,
            organization_id=key.organization_id,
            secret_hash=secret_hash,
            label=key.label,
            permissions=list(key.permissions),
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )
        await execute(self._database, statement)

    async def find(self, secret_hash: str) -> ApiKey | None:
        """Returns the key with that hash, revoked or not."""
        statement = select(*_key_columns).where(_key.c.secret_hash == secret_hash)
        return await find_one(self._database, statement, ApiKey)

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key, oldest first."""
        return await find_all(self._database, select(*_key_columns).order_by(_key.c.id), ApiKey)

    async def revoke(self, key_id: str, at: int) -> bool:
        """Revokes a key.

        Args:
            key_id: its id, not its secret.
            at: epoch milliseconds.

        Returns:
            Whether there was such a key that was not revoked before.
        """
        statement = update(_key).where(_key.c.id == key_id, _key.c.revoked_at.is_(None)).values(revoked_at=at)
        return await execute(self._database, statement) == 1
