"""Keys that all nodes of one installation share."""

import secrets

from sqlalchemy import Connection, select

from server.store.database import Database
from server.store.dialect import insert
from server.store.tables import SecretRow, table_of

_secret = table_of(SecretRow)


async def shared_secret(database: Database, name: str) -> bytes:
    """Returns the 32-byte secret of that name; whichever node asks first makes it."""

    def run(connection: Connection) -> bytes:
        connection.execute(
            insert(connection.dialect.name, _secret)
            .values(name=name, value=secrets.token_bytes(32))
            .on_conflict_do_nothing(index_elements=["name"])
        )
        value: bytes = connection.execute(select(_secret.c.value).where(_secret.c.name == name)).scalar_one()
        return value

    return await database.write(run)
