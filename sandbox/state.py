"""Keeps the network's state in SQLite, off the event loop.

Writes are queued and committed in groups by one thread; whoever must not promise anything before it is stored
asks to be called once everything queued so far is committed. The journal survives the death of the process at
any moment. It is not synchronised to the disk's platters: a sandbox need not survive a power cut, and waiting
for disks would only slow tests down.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

__all__ = ["Row", "State", "StateError"]

Row = tuple[Any, ...]
"""A row of the database; whoever wrote the query knows its types."""

_Value = str | bytes | int | None

_log = logging.getLogger(__name__)

_VERSION = 1
_LOCK_SECONDS = 1.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    number TEXT PRIMARY KEY, lid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    identity BLOB NOT NULL, signed_prekey BLOB NOT NULL, registration INTEGER NOT NULL,
    last_device INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS devices (
    number TEXT NOT NULL, device INTEGER NOT NULL, noise BLOB NOT NULL, platform TEXT NOT NULL,
    device_identity BLOB NOT NULL, registration BLOB NOT NULL, identity BLOB NOT NULL,
    signed_id BLOB NOT NULL, signed_value BLOB NOT NULL, signed_signature BLOB NOT NULL,
    PRIMARY KEY (number, device)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS prekeys (
    number TEXT NOT NULL, device INTEGER NOT NULL, id BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (number, device, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail (
    seq INTEGER PRIMARY KEY, number TEXT NOT NULL, device INTEGER NOT NULL, tag TEXT NOT NULL,
    id TEXT NOT NULL, type TEXT NOT NULL, sender TEXT NOT NULL, stanza BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, number TEXT NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_of ON journal (number, kind, seq);
CREATE TABLE IF NOT EXISTS groups (
    id TEXT PRIMARY KEY, addressing TEXT NOT NULL, creator TEXT NOT NULL, created INTEGER NOT NULL,
    invite TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, subject_by TEXT NOT NULL, subject_at INTEGER NOT NULL,
    description TEXT NOT NULL, description_id TEXT NOT NULL, description_by TEXT NOT NULL,
    description_at INTEGER NOT NULL, announce INTEGER NOT NULL, locked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    seq INTEGER PRIMARY KEY, group_id TEXT NOT NULL, number TEXT NOT NULL, role TEXT NOT NULL,
    UNIQUE (group_id, number)
);
CREATE TABLE IF NOT EXISTS revoked_invites (code TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS journal_by_id ON journal (number, json_extract(record, '$.id'));
CREATE TABLE IF NOT EXISTS app_state_keys (
    number TEXT PRIMARY KEY, id BLOB NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS app_state_shared (
    number TEXT NOT NULL, device INTEGER NOT NULL, PRIMARY KEY (number, device)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS app_state_patches (
    number TEXT NOT NULL, collection TEXT NOT NULL, version INTEGER NOT NULL, patch BLOB NOT NULL,
    PRIMARY KEY (number, collection, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS histories (
    number TEXT NOT NULL, place INTEGER NOT NULL, type TEXT NOT NULL, chunk_order INTEGER NOT NULL,
    progress INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (number, place)
);
CREATE TABLE IF NOT EXISTS histories_given (
    number TEXT NOT NULL, device INTEGER NOT NULL, PRIMARY KEY (number, device)
) WITHOUT ROWID;
"""


class StateError(RuntimeError):
    """The state cannot be opened."""


class State:
    """The database of one network; one process at a time.

    Args:
        file: The database, made when it is missing.
        on_failure: Called once in the event loop when a commit fails. Nothing is stored after that, so the
            network must end.

    Raises:
        StateError: Another sandbox uses the file, or a newer version wrote it.
    """

    def __init__(self, file: Path, on_failure: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(1, "sandbox-state")
        self._pending: list[tuple[str, Sequence[_Value]]] = []
        self._waiting: list[Callable[[], None]] = []
        self._commit: asyncio.Task[None] | None = None
        self._failed = False
        self._database = sqlite3.connect(
            file, isolation_level=None, check_same_thread=False, timeout=_LOCK_SECONDS
        )
        try:
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=OFF")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise StateError(f"{file} was written by a newer version of the sandbox")
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version={_VERSION}")
            self._last_mail: int = self._database.execute("SELECT ifnull(max(seq), 0) FROM mail").fetchone()[
                0
            ]
        except sqlite3.OperationalError as error:
            raise StateError(f"cannot open {file}: {error}; does another sandbox use it?") from error

    def load(self, query: str) -> list[Row]:
        """Reads at start, before anything is written."""
        return self._database.execute(query).fetchall()

    def next_mail(self) -> int:
        """A number for the next stanza that waits, greater than that of any other one."""
        self._last_mail += 1
        return self._last_mail

    def write(self, statement: str, parameters: Sequence[_Value]) -> None:
        """Queues a write; writes are committed in the order they were queued."""
        self._pending.append((statement, parameters))
        self._schedule()

    def when_stored(self, callback: Callable[[], None]) -> None:
        """Calls back once all that was queued so far is committed: at once when nothing waits for that."""
        if self._commit is None and not self._pending and not self._failed:
            _call(callback)
            return
        self._waiting.append(callback)
        self._schedule()

    async def stored(self) -> None:
        """Waits until all that was queued so far is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.when_stored(lambda: None if done.done() else done.set_result(None))
        await done

    async def read(self, query: str, parameters: Sequence[_Value]) -> list[Row]:
        """Reads what was queued before this call, and everything older."""
        await self.stored()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: self._database.execute(query, parameters).fetchall()
        )

    async def close(self) -> None:
        """Commits what is queued and closes the database."""
        while self._commit is not None and not self._failed:
            await self._commit
        self._thread.shutdown()
        self._database.close()

    def _schedule(self) -> None:
        if self._commit is None and not self._failed:
            self._commit = asyncio.get_running_loop().create_task(self._commit_groups(), name="state")

    async def _commit_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending or self._waiting:
            batch, self._pending = self._pending, []
            callbacks, self._waiting = self._waiting, []
            if batch:
                try:
                    await loop.run_in_executor(self._thread, self._store, batch)
                except sqlite3.Error:
                    _log.critical("storing the network's state failed; the sandbox ends", exc_info=True)
                    self._failed = True
                    self._on_failure()
                    return
            for callback in callbacks:
                _call(callback)
        self._commit = None

    def _store(self, batch: list[tuple[str, Sequence[_Value]]]) -> None:
        database = self._database
        database.execute("BEGIN")
        try:
            for statement, parameters in batch:
                database.execute(statement, parameters)
        except sqlite3.Error:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - one caller's error must not keep the others waiting
        _log.exception("a callback after a commit failed")
