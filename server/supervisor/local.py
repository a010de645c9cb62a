"""What `wagate up` does as a client of its own node: the key that it shows, and the QR codes."""

import sys

from server import terminal
from server.auth.bootstrap import ensure_local_key
from server.auth.keys import ApiKeys
from server.config import Settings
from server.store.api_keys import ApiKeyRepository
from server.store.database import open_database


async def local_key() -> str:
    """Returns the data directory's own key, which is made where there is none in force.

    The node has brought the database up to date by then.
    """
    settings = Settings()
    database = open_database(settings.database)
    try:
        return await ensure_local_key(ApiKeys(ApiKeyRepository(database)), settings.data_dir / "up.key")
    finally:
        await database.close()


async def pair(address: str, key: str) -> None:
    """Shows QR codes on the terminal until a session is linked; does nothing where none waits.

    Args:
        address: the node's, `host:port`.
        key: an api-key with the capability `manage`.
    """
    await terminal.pair(address, key, sys.stderr)
