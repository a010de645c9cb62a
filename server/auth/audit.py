"""Keeps who changed what: in the database, and as one line each in the log."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from server.clock import now_ms
from server.store.records import AuditLine

log = logging.getLogger(__name__)

OK: Final = "ok"
"""The outcome of a change that was made; others are words of `Code`."""

GATHER_SECONDS: Final = 0.25
"""How long lines that nobody waits for are gathered for one transaction. A crash loses those of this time."""
BATCH: Final = 200
"""Lines that are written together."""
BACKLOG: Final = 10_000
"""Lines that may wait while the database takes none; further ones are in the log alone."""
SWEEP_SECONDS: Final = 3600.0
"""How often lines that are too old are looked for."""
SWEEP_BATCH: Final = 1000
"""Lines that are deleted in one transaction: bounds how long other writers wait."""
_DAY_MS: Final = 24 * 3600 * 1000


class AuditStore(Protocol):
    """Where lines are kept; `server.store.audit.AuditRepository` is one."""

    async def append(self, lines: Sequence[AuditLine]) -> None:
        """Appends lines; returns when they are durable."""
        ...

    async def delete_before(self, at: int, limit: int) -> int:
        """Deletes up to `limit` lines older than `at`; returns how many."""
        ...


class AuditLog:
    """Keeps lines for a number of days."""

    def __init__(self, store: AuditStore, days: int, now: Callable[[], int] = now_ms) -> None:
        """Keeps lines in `store`; deletes nothing before `open`.

        Args:
            store: where they are kept.
            days: how long.
            now: the time in epoch milliseconds.
        """
        self._store = store
        self._days = days
        self._now = now
        self._waiting: list[AuditLine] = []
        self._closing = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins to delete what is too old."""
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep(), name="audit-sweep")

    async def close(self) -> None:
        """Writes what waits."""
        self._closing.set()
        for task in (self._sweeping, self._writing):
            if task is not None:
                await task

    async def record(self, line: AuditLine) -> None:
        """Keeps a line; returns when it is durable.

        A database that takes no line does not fail the caller, whose change is done: the log has it.
        """
        _say(line)
        try:
            await self._store.append([line])
        except Exception:
            log.exception("a change could not be audited; the line above is all that is left of it")

    def note(self, line: AuditLine) -> None:
        """Keeps a line, which will be durable soon. Never waits.

        What was done is only logged where it cannot be kept: a log line per send costs more than all else
        that is known of the caller.
        """
        is_refusal = line.outcome != OK
        if is_refusal:
            _say(line)
        if len(self._waiting) >= BACKLOG:
            if not is_refusal:
                _say(line)
            log.error("%d lines wait to be audited; the line above will not be", len(self._waiting))
            return
        self._waiting.append(line)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="audit-write")

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._pause(GATHER_SECONDS)
                while self._waiting:
                    # What is being written still counts as waiting: the backlog is bounded as a whole.
                    batch = self._waiting[:BATCH]
                    try:
                        await self._store.append(batch)
                    except Exception:
                        for line in batch:
                            if line.outcome == OK:
                                _say(line)
                        log.exception("%d changes could not be audited; the log has them", len(batch))
                    del self._waiting[:BATCH]
        finally:
            self._writing = None

    async def _sweep(self) -> None:
        while not self._closing.is_set():
            try:
                before = self._now() - self._days * _DAY_MS
                while await self._store.delete_before(before, SWEEP_BATCH) == SWEEP_BATCH:
                    if self._closing.is_set():
                        return
            except Exception:
                log.exception("old audit lines could not be deleted; trying again in an hour")
            await self._pause(SWEEP_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


def _say(line: AuditLine) -> None:
    # As JSON, which no character of a subject or an id can break out of.
    log.info(
        "change %s",
        json.dumps(
            {
                "operation": line.operation,
                "outcome": line.outcome,
                "organization": line.organization_id,
                "actor": line.actor,
                "kind": line.actor_kind,
                "target": line.target,
                "request": line.request_id,
            }
        ),
    )
