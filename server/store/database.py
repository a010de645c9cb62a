"""The connection to SQLite or PostgreSQL, with what differs between them kept here.

Statements are written once, as functions of a synchronous SQLAlchemy `Connection`. Where they run is the
engine's business: SQLite's in threads of their own, a whole transaction at a time, so that the event loop
is left and entered once and not once per statement; PostgreSQL's over asyncpg on the loop. See
docs/decisions/0004.
"""

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from server.store.appended import Appended, take_appended
from server.store.failures import explained, is_transient

Result = TypeVar("Result")

READERS: Final = 4
"""Threads that read SQLite at the same time."""

PATIENCE_SECONDS: Final = 30.0
"""How long a transaction on PostgreSQL may take: nothing else ends one over a connection that is dead
without anybody having said so."""
CONNECT_SECONDS: Final = 10.0
"""How long connecting to PostgreSQL may take, and how long to wait for a connection to be free."""
_ATTEMPTS: Final = 4
"""Attempts at a transaction that PostgreSQL rolls back over another one."""

_POSTGRES_SETTINGS: Final = {
    "application_name": "wagate",
    # A node that is paused in the middle of a transaction holds locks, and the others wait for them.
    "idle_in_transaction_session_timeout": "10000",
}

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    # FULL: an acknowledged send survives a power cut. Group commit pays for the fsync.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-8192",
)

_LOCKED_ATTEMPTS: Final = 200
_LOCKED_SECONDS: Final = 0.01


class Database(Protocol):
    """Runs statements.

    Attributes:
        appended: who is told that a commit has made event logs longer.
    """

    appended: Appended

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Runs selects.

        Args:
            work: called with a connection, possibly in another thread: it must touch nothing but that
                connection and its own arguments.

        Raises:
            DatabaseAwayError: the database does not answer.
        """
        ...

    async def write(
        self, work: Callable[[Connection], Result], *, within: float | None = PATIENCE_SECONDS
    ) -> Result:
        """Runs statements in a transaction: committed when `work` returns, rolled back when it raises.

        Args:
            work: as for `read`. It may be called again, after its first transaction was rolled back over
                another one that stood in its way.
            within: seconds that PostgreSQL may take, None for any time.

        Raises:
            DatabaseAwayError: nothing was stored.
            CommitUnknownError: nobody knows whether it was stored.
        """
        ...

    async def write_first(self, work: Callable[[Connection], Result]) -> Result:
        """The same as `write`, over a connection that other work does not use up.

        For what must not wait for its turn when everything else does: leases.
        """
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
        self.appended = Appended()
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
            with explained(), self._read_engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def write(
        self,
        work: Callable[[Connection], Result],
        *,
        within: float | None = PATIENCE_SECONDS,  # noqa: ARG002 - a file answers or fails
    ) -> Result:
        """See `Database`."""
        loop = asyncio.get_running_loop()

        def run() -> Result:
            with explained() as progress, self._write_engine.connect() as connection:
                result = work(connection)
                progress.committing = True
                connection.commit()
                appended = take_appended(connection)
            if appended:
                # From here, not from who waits: they may have gone away. So may the loop, with all listeners.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self.appended.tell, appended)
            return result

        return await loop.run_in_executor(self._writer, run)

    async def write_first(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`. The queue for the one writer is short."""
        return await self.write(work)

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
        self.appended = Appended()
        self._engine = _postgres_engine(url, pool_size=8, max_overflow=8)
        self._first_engine = _postgres_engine(url, pool_size=1, max_overflow=1)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""
        with explained():
            async with asyncio.timeout(PATIENCE_SECONDS), self._engine.connect() as connection:
                return await connection.run_sync(work)

    async def write(
        self, work: Callable[[Connection], Result], *, within: float | None = PATIENCE_SECONDS
    ) -> Result:
        """See `Database`."""
        return await _write_postgres(self._engine, work, within, self.appended)

    async def write_first(self, work: Callable[[Connection], Result]) -> Result:
        """See `Database`."""
        return await _write_postgres(self._first_engine, work, PATIENCE_SECONDS, self.appended)

    async def close(self) -> None:
        """See `Database`."""
        await self._engine.dispose()
        await self._first_engine.dispose()


def _postgres_engine(url: URL, *, pool_size: int, max_overflow: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=CONNECT_SECONDS,
        # Connections that broke while nobody used them are replaced instead of failing a caller.
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": dict(_POSTGRES_SETTINGS)},
    )


async def _write_postgres(
    engine: AsyncEngine, work: Callable[[Connection], Result], within: float | None, appended: Appended
) -> Result:
    for attempt in itertools.count(1):
        try:
            with explained() as progress:
                async with asyncio.timeout(within), engine.connect() as connection:
                    result = await connection.run_sync(work)
                    progress.committing = True
                    await connection.commit()
                    appended.tell(await connection.run_sync(take_appended))
                    return result
        except DBAPIError as error:
            if attempt == _ATTEMPTS or not is_transient(error):
                raise
    raise AssertionError("counting never ends")


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        _ask_patiently(cursor, pragma)
    cursor.close()


def _ask_patiently(cursor: sqlite3.Cursor, pragma: str) -> None:
    """Runs a pragma, in a thread of the store.

    Connections that make a new file WAL at the same moment are told "locked" at once, whatever
    `busy_timeout` says (measured: 3 of 600, four at a time).
    """
    for attempt in itertools.count(1):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _LOCKED_ATTEMPTS:
                raise
            time.sleep(_LOCKED_SECONDS)  # the other one is done in a moment, and nothing tells when
        else:
            return


def _prepare_writer(connection: Any, entry: ConnectionPoolEntry) -> None:
    _prepare(connection, entry)
    # The driver's own BEGIN is deferred and may fail late; ours takes the lock at once.
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
