"""The tokens of the WUTS API."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select

from server.store.audit import append
from server.store.credentials import revoke, touch
from server.store.database import Database
from server.store.queries import find_all, find_one
from server.store.records import AuditLine, UserToken
from server.store.tables import UserTokenRow, table_of

_token = table_of(UserTokenRow)
_columns = [column for column in _token.c if column.name != "secret_hash"]


class UserTokenRepository:
    """Stores users' tokens by the hash of their secret. They go when their session is deleted."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def add(self, token: UserToken, secret_hash: str, change: AuditLine) -> None:
        """Stores a token, and the change in the audit.

        Args:
            token: whom and what it stands for.
            secret_hash: SHA-256 of the secret, in hex.
            change: what the audit keeps of it.
        """

        def run(connection: Connection) -> None:
            connection.execute(_token.insert().values(**asdict(token), secret_hash=secret_hash))
            append(connection, [change])

        await self._database.write(run)

    async def find(self, secret_hash: str) -> UserToken | None:
        """Returns the token with that hash, revoked or not."""
        statement = select(*_columns).where(_token.c.secret_hash == secret_hash)
        return await find_one(self._database, statement, UserToken)

    async def list(self) -> Sequence[UserToken]:
        """Returns every token, oldest first."""
        return await find_all(self._database, select(*_columns).order_by(_token.c.id), UserToken)

    async def revoke(self, token_id: str, change: AuditLine) -> bool:
        """Revokes a token as of `change.at`, and stores the change in the audit.

        Args:
            token_id: its id, not its secret.
            change: what the audit keeps of it; its organization is filled in.

        Returns:
            Whether there was such a token that was not revoked before.
        """
        return await self._database.write(lambda connection: revoke(connection, _token, token_id, change))

    async def touch(self, uses: Mapping[str, int]) -> None:
        """Notes when tokens were last used.

        Args:
            uses: epoch milliseconds by token id, at least one.
        """
        await self._database.write(lambda connection: touch(connection, _token, uses))
