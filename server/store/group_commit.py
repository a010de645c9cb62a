"""Many small writes in one commit: what makes a durable acknowledgement cheap."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from server.store.database import Database
from server.store.failures import DatabaseAwayError, DatabaseFailure

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.003
"""How long a writer that has company already waits for more of it. Under load that makes batches larger
and each item cheaper; a single item is never kept waiting."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_Entry = tuple[Item, asyncio.Future[Result]]

MAX_BATCH = 200
"""Items per transaction: bounds how long other writers wait."""


class GroupCommit(Generic[Item, Result]):
    """Collects items while a transaction is under way and writes them together in the next one.

    An idle writer commits a single item at once, unless it is told of company. `write` returns after the
    commit. An item that fails does not harm the others of its batch: they are written again one by one. When
    the database fails, all are told at once, and nothing is written a second time: it may be stored already.
    """

    def __init__(
        self,
        database: Database,
        apply: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        *,
        gather: float = GATHER_SECONDS,
    ) -> None:
        """Starts nothing until the first write.

        Args:
            database: where to write.
            apply: writes items in a transaction and returns a result for each, in their order.
                May be called again with some of the items after a failure rolled it back.
            gather: seconds for which a writer that has company already waits for more of it.
        """
        self._gather = gather
        self._database = database
        self._apply = apply
        self._waiting: list[_Entry[Item, Result]] = []
        self._task: asyncio.Task[None] | None = None
        self._has_company = False

    async def write(self, item: Item, *, company: bool = False) -> Result:
        """Writes an item; returns its result once it is committed.

        Args:
            item: what to write.
            company: whether more are on their way, so that waiting for them is worth while.
        """
        self._has_company |= company
        (result,) = await self.write_all([item])
        return result

    async def write_all(self, items: Sequence[Item]) -> list[Result]:
        """Writes items, in their order and usually together; returns their results.

        Raises:
            Exception: what `apply` raised for the first item that failed.
            DatabaseAwayError: the first failure was the database's, and its item was not stored.
            CommitUnknownError: as before, and nobody knows whether its item was stored.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in items]
        self._waiting.extend(zip(items, futures, strict=True))
        if self._task is None:
            self._task = loop.create_task(self._drain(), name="group-commit")
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    async def _drain(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) > 1 or self._has_company:
                    # Measured: larger batches save more than the wait costs (docs/decisions/0004).
                    await asyncio.sleep(self._gather)
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                self._has_company = False
                error = await self._commit(batch)
                if isinstance(error, DatabaseFailure) or (error is not None and len(batch) == 1):
                    _fail(batch, error)
                elif error is not None:
                    log.warning("a batch of %d writes failed; writing them one by one", len(batch))
                    await self._commit_each(batch)
        finally:
            self._task = None

    async def _commit_each(self, batch: Sequence[_Entry[Item, Result]]) -> None:
        for index, entry in enumerate(batch):
            error = await self._commit([entry])
            if error is not None:
                _fail([entry], error)
            if isinstance(error, DatabaseFailure):
                _fail(batch[index + 1 :], DatabaseAwayError())
                return

    async def _commit(self, batch: Sequence[_Entry[Item, Result]]) -> Exception | None:
        try:
            items = [item for item, _ in batch]
            results = await self._database.write(lambda connection: self._apply(connection, items))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the item
            return error
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
        return None


def _fail(batch: Sequence[_Entry[Item, Result]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
