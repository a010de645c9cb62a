"""Calls of one client: a few at a time, each with an end for its caller."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class TurnMissedError(Exception):
    """The call's turn did not come in time: it was never begun."""


class UnansweredError(Exception, Generic[Result]):
    """The call was begun and has not ended in time; it goes on.

    Attributes:
        late: ends with its result.
    """

    def __init__(self, late: "asyncio.Task[Result]") -> None:
        super().__init__("no answer in time")
        self.late = late


class Turns:
    """Lets a client's calls of one kind into the library, in the order in which they were asked for.

    The library answers a silent WhatsApp's calls after 75 seconds. A call that its caller has given up keeps
    its place until then, so that a silent WhatsApp holds no more than `places` threads per client.
    """

    def __init__(self, places: int) -> None:
        """Lets at most `places` calls in at a time."""
        self._free = asyncio.Semaphore(places)

    async def run(self, call: Coroutine[Any, Any, Result], *, within: float, name: str) -> Result:
        """Runs a call when its turn has come. Cancelling gives up the waiting, not a call that was begun.

        Args:
            call: what to run.
            within: seconds to wait, for the turn and for the result together.
            name: the task's, for logs.

        Raises:
            TurnMissedError: its turn did not come.
            UnansweredError: it goes on.
        """
        deadline = time.monotonic() + within
        try:
            async with asyncio.timeout(within):
                await self._free.acquire()
        except TimeoutError:
            call.close()
            raise TurnMissedError from None
        except BaseException:
            call.close()
            raise
        task = asyncio.create_task(call, name=name)
        task.add_done_callback(self._leave)
        done, _ = await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()))
        if not done:
            raise UnansweredError(task)
        return task.result()

    def _leave(self, task: "asyncio.Task[Any]") -> None:
        self._free.release()
        # Seen here, because its caller may have gone; whoever still waits is told all the same.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("a %s ended with: %s", task.get_name(), error)
