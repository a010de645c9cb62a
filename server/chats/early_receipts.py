"""Receipts that come before the message that they are about is stored.

WhatsApp acknowledges a send to its sender and, a moment later, tells that it was delivered; the send's
outcome is recorded in between, with others, and may be the later one.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from server.store.conversations import ConversationRepository
from server.store.failures import DatabaseFailure
from server.store.records import NewReceipt

log = logging.getLogger(__name__)

DELAYS: Final = (0.1, 0.5, 2.0, 10.0)
"""Seconds before each further attempt. Sends are recorded within a fraction of the first; a database that is
away for a moment, within the last."""
KEPT: Final = 10_000
"""Receipts that wait at most, on the whole node."""


class EarlyReceipts:
    """Tries receipts again whose message is not there yet.

    Most that wait are of what is never stored, such as reactions: after the last attempt they are forgotten.
    """

    def __init__(self, conversations: ConversationRepository) -> None:
        """Stores into `conversations`."""
        self._conversations = conversations
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, receipts: Sequence[NewReceipt]) -> None:
        """Tries these again later; returns at once."""
        some = receipts[: max(0, KEPT - self._count)]
        if len(some) < len(receipts):
            log.debug("%d receipts are not tried again: too many wait", len(receipts) - len(some))
        if some:
            self._count += len(some)
            task = asyncio.create_task(self._try_again(some), name="early-receipts")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Tries nothing again any more."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _try_again(self, receipts: Sequence[NewReceipt]) -> None:
        waiting = receipts
        try:
            for delay in DELAYS:
                await asyncio.sleep(delay)  # their sends are being recorded meanwhile
                waiting = await self._without_message(waiting)
                if not waiting:
                    return
            log.debug("%d receipts are of messages that are not stored", len(waiting))
        finally:
            self._count -= len(receipts)

    async def _without_message(self, receipts: Sequence[NewReceipt]) -> Sequence[NewReceipt]:
        try:
            results = await self._conversations.store(receipts)
        except DatabaseFailure as error:
            log.debug("%d early receipts wait on: %s", len(receipts), error.message)
            return receipts
        except Exception:
            log.exception("%d early receipts could not be stored", len(receipts))
            return ()
        return [receipt for receipt, row in zip(receipts, results, strict=True) if row is None]
