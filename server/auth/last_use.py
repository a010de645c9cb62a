"""Notes when keys and tokens were last used, behind the calls' backs."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from server.clock import now_ms

log = logging.getLogger(__name__)

PRECISION_MS: Final = 60_000
"""A use is noted when the one noted before is this old: at most one write per key and minute."""
GATHER_SECONDS: Final = 5.0
"""How long uses are gathered for one transaction. A crash loses those of this time."""


class LastUses:
    """Gathers uses and writes them together. No call ever waits for it."""

    def __init__(
        self,
        write: Callable[[Mapping[str, int]], Awaitable[None]],
        now: Callable[[], int] = now_ms,
        gather: float = GATHER_SECONDS,
    ) -> None:
        """Writes nothing until the first use.

        Args:
            write: stores uses: epoch milliseconds by id.
            now: the time in epoch milliseconds.
            gather: seconds between a use and the transaction that stores it.
        """
        self._write = write
        self._now = now
        self._gather = gather
        self._uses: dict[str, int] = {}
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def note(self, row_id: str, last_used_at: int | None) -> None:
        """Notes a use now.

        Args:
            row_id: of the key or token.
            last_used_at: the use that is stored. It came with the row, so that no node needs to
                remember what it or another one has written.
        """
        now = self._now()
        if row_id in self._uses or (last_used_at is not None and now - last_used_at < PRECISION_MS):
            return
        self._uses[row_id] = now
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain(), name="last-uses")

    async def close(self) -> None:
        """Writes what was gathered, at once."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        try:
            while self._uses:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), self._gather)
                await self._flush()
        finally:
            self._task = None

    async def _flush(self) -> None:
        uses, self._uses = self._uses, {}
        try:
            await self._write(uses)
        except Exception:  # a last use is worth no more than a line in the log
            log.warning("the last uses of %d keys could not be stored", len(uses), exc_info=True)
