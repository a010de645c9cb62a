"""The gateway's database, for commands that work on it whether or not a node runs."""

import contextlib
from collections.abc import AsyncIterator

from server.config import load_settings
from server.store import schema
from server.store.database import Database, open_database


@contextlib.asynccontextmanager
async def opened_database() -> AsyncIterator[Database]:
    """The database of the settings, brought up to date, and closed at the end."""
    database = open_database(load_settings().database)
    try:
        await schema.upgrade(database)
        yield database
    finally:
        await database.close()
