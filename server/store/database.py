"""The connection to SQLite or PostgreSQL, with the one difference between them kept here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

READERS = 4
"""Connections that read at the same time."""

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL: an acknowledged send survives a power cut. Group commit pays for the fsync.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-8192",
)


class Database:
    """Gives out connections for reading and transactions for writing.

    SQLite knows one writer at a time: writers of this process queue in memory, which is fair and
    never "locked"; those of other processes (the command line) wait by `busy_timeout`.
    """

    def __init__(self, url: str) -> None:
        """Opens nothing yet.

        Args:
            url: an SQLAlchemy URL, `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`.
        """
        # Parameters hold what people wrote: they are hidden, else errors would carry them into the log.
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._turn: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._writer = create_async_engine(parsed, pool_size=1, max_overflow=0, hide_parameters=True)
            self._reader = create_async_engine(
                parsed,
                pool_size=READERS,
                max_overflow=0,
                isolation_level="AUTOCOMMIT",
                hide_parameters=True,
            )
            event.listen(self._writer.sync_engine, "connect", _prepare_sqlite_writer)
            event.listen(self._writer.sync_engine, "begin", _begin_immediate)
            event.listen(self._reader.sync_engine, "connect", _prepare_sqlite)
        else:
            self._writer = create_async_engine(
                parsed, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
            )
            self._reader = self._writer

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes; for migrations."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to select with."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with AsyncExitStack() as stack:
            if self._turn is not None:
                await stack.enter_async_context(self._turn)
            yield await stack.enter_async_context(self._writer.begin())

    async def close(self) -> None:
        """Closes every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _prepare_sqlite_writer(connection: Any, entry: ConnectionPoolEntry) -> None:
    _prepare_sqlite(connection, entry)
    # The driver's own BEGIN is deferred and may fail late; ours takes the lock at once.
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
