"""Organizations and their api-keys."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select

from server.store.audit import append
from server.store.credentials import revoke, touch
from server.store.database import Database
from server.store.dialect import insert
from server.store.queries import find_all, find_one
from server.store.records import ApiKey, AuditLine, Organization
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
        named = select(_organization).where(_organization.c.name == organization.name)

        def run(connection: Connection) -> Organization:
            connection.execute(
                insert(connection.dialect.name, _organization)
                .values(asdict(organization))
                .on_conflict_do_nothing(index_elements=["name"])
            )
            return Organization(*connection.execute(named).one())

        return await self._database.write(run)

    async def find_organization(self, name: str) -> Organization | None:
        """Returns the organization of that name."""
        statement = select(_organization).where(_organization.c.name == name)
        return await find_one(self._database, statement, Organization)

    async def add(self, key: ApiKey, secret_hash: str, change: AuditLine) -> None:
        """Stores a key, and the change in the audit.

        Args:
            key: what it may do and for whom.
            secret_hash: SHA-256 of the secret, in hex.
            change: what the audit keeps of it.
        """
        values = {**asdict(key), "permissions": list(key.permissions), "secret_hash": secret_hash}

        def run(connection: Connection) -> None:
            connection.execute(_key.insert().values(values))
            append(connection, [change])

        await self._database.write(run)

    async def find(self, secret_hash: str) -> ApiKey | None:
        """Returns the key with that hash, revoked and expired or not."""
        statement = select(*_key_columns).where(_key.c.secret_hash == secret_hash)
        return await find_one(self._database, statement, ApiKey)

    async def get(self, key_id: str) -> ApiKey | None:
        """Returns the key of that id, revoked and expired or not."""
        statement = select(*_key_columns).where(_key.c.id == key_id)
        return await find_one(self._database, statement, ApiKey)

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key, oldest first."""
        return await find_all(self._database, select(*_key_columns).order_by(_key.c.id), ApiKey)

    async def revoke(self, key_id: str, change: AuditLine) -> bool:
        """Revokes a key as of `change.at`, and stores the change in the audit.

        Args:
            key_id: its id, not its secret.
            change: what the audit keeps of it; its organization is filled in.

        Returns:
            Whether there was such a key that was not revoked before.
        """
        return await self._database.write(lambda connection: revoke(connection, _key, key_id, change))

    async def touch(self, uses: Mapping[str, int]) -> None:
        """Notes when keys were last used.

        Args:
            uses: epoch milliseconds by key id, at least one.
        """
        await self._database.write(lambda connection: touch(connection, _key, uses))
