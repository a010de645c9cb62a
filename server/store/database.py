"""The connection to SQLite or PostgreSQL, with what differs between them kept here.

Statements are written once, as functions of a synchronous SQLAlchemy `Connection`. Where they run is the
engine's business: SQLite's in threads of their own, a whole transaction at a time, so that the event loop
is left and entered once and not once per statement; PostgreSQL's over asyncpg on the loop. See
docs/decisions/0004.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

Result = TypeVar("Result")

READERS: Final = 4
"""Threads that read SQLite at the same time."""

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    # FULL: an acknowledged send survives a power cut. Group commit pays for the fsync.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-8192",
)


class Database(Protocol):
    """Runs statements."""

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Runs selects.

        Args:
            work: called with a connection, possibly in another thread: it must touch nothing but that
                connection and its own arguments.
        """
        ...

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Runs statements in a transaction: committed when `work` returns, rolled back when it raises."""
        ...

    async def close(self) -> None:
        """Closes every connection."""
        ...


def open_database(url: str) -> Database:
    """The database of a URL: `sqlite:///path` or `postgresql+asyncpg://...`. Connects to nothing yet.

    Its errors do not show the parameters of statements: they hold what people wrote, and are logged.
    """
    parsed = make_url(url)
    return SqliteDatabase(parsed) if parsed.get_backend_name() == "sqlite" else PostgresDatabase(parsed)


class SqliteDatabase:
    """SQLite, which knows one writer at a time.

    Writers of this process queue for one thread, which is fair and never "locked"; those of other
    processes (the command line) wait by `busy_timeout`.
    """

    def __init__(self, url: URL) -> None:
        """See `open_database`."""
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        url = url.set(drivername="sqlite")
        arguments = {"check_same_thread": False}
        self._write_engine = create_engine(
            url, pool_size=1, max_overflow=0, connect_args=arguments, hide_parameters=True
        )
        self._read_engine = create_engine(
            url,
            pool_size=READERS,
            max_overflow=0,
            connect_args=arguments,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        event.listen(self._write_engine, "connect", _prepare_writer)
        event.listen(self._write_engine, "begin", _begin_immediate)
        event.listen(self._read_engine, "connect", _prepare)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""

        def run() -> Result:
            with self._read_engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""

        def run() -> Result:
            with self._write_engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    async def close(self) -> None:
        """See `Database`."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._write_engine.dispose()
        self._read_engine.dispose()


class PostgresDatabase:
    """PostgreSQL over asyncpg."""

    def __init__(self, url: URL) -> None:
        """See `open_database`."""
        self._engine = create_async_engine(
            url, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
        )

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """See `Database`."""
        await self._engine.dispose()


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _prepare_writer(connection: Any, entry: ConnectionPoolEntry) -> None:
    _prepare(connection, entry)
    # The driver's own BEGIN is deferred and may fail late; ours takes the lock at once.
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
