"""The thread policy: how calls may enter the client library without ending the process.

The library keeps its clients in plain Go maps. Connecting and stopping write them; every other call
reads them first thing. A write beside a read or another write ends the whole process, uncatchably.
So connecting and stopping take turns, and while one of them may be writing no other call enters.

Calls also block their thread: a connect for the life of the session, a send until WhatsApp
answers. Each connect has a thread of its own; the other calls share a pool.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

CALL_THREADS: Final = 256
"""Calls inside the library at the same time; threads are made as they are needed."""
ENTRY_SECONDS: Final = 0.05
"""After this long inside the library a call has read the map: what it still does is wait."""
WRITING_SECONDS: Final = 1.0
"""After this long a connect no longer writes (it opens a small database first): what it still does is
wait for the network, and other calls may enter."""


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs work to its end even when the caller is cancelled, which is then cancelled afterwards.

    A connect or stop that was left halfway would go on writing the maps out of its turn.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen; the cancellation is what the caller hears of
        raise cancelled
    return task.result()


class ClientGoneError(Exception):
    """The client was stopped before the call could enter."""


class _Entry:
    """When a call entered the library: None while its thread has not begun."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at: float | None = None


class LibraryGate:
    """Lets calls into the library, of one process, by the rules above."""

    def __init__(self, threads: int = CALL_THREADS) -> None:
        """Everything is allowed at first.

        Args:
            threads: calls inside the library at the same time, at most; at least 1.
        """
        # One thread more than calls may have: a stop never waits for calls that wait for WhatsApp.
        self._pool = ThreadPoolExecutor(threads + 1, thread_name_prefix="library-call")
        self._places = asyncio.Semaphore(threads)
        self._turn = asyncio.Lock()
        self._open = asyncio.Event()
        self._open.set()
        self._entries: set[_Entry] = set()

    @property
    def inside(self) -> int:
        """How many calls are inside the library now."""
        return len(self._entries)

    async def call(self, function: Callable[[], Result], alive: Callable[[], bool]) -> Result:
        """Runs a call that reads the maps, in a thread, as soon as it may enter.

        Cancelling gives up waiting for it; the call itself goes on in its thread.

        Args:
            function: the call.
            alive: whether its client is still in the maps. Asked last, because the library ends the
                process over a call for a client that it does not know.

        Raises:
            ClientGoneError: it is not.
        """
        # A place first: a call that is let in must not wait for a thread, for writers wait for it.
        await self._places.acquire()
        try:
            while not self._open.is_set():
                await self._open.wait()
            future = self._enter(function, alive)
        except BaseException:
            self._places.release()
            raise
        return await asyncio.shield(future)

    def _enter(self, function: Callable[[], Result], alive: Callable[[], bool]) -> "asyncio.Future[Result]":
        if not alive():
            raise ClientGoneError
        entry = _Entry()
        self._entries.add(entry)

        def enter() -> Result:
            entry.at = time.monotonic()
            return function()

        def leave(_: "asyncio.Future[Result]") -> None:
            self._entries.discard(entry)
            self._places.release()

        future = asyncio.get_running_loop().run_in_executor(self._pool, enter)
        future.add_done_callback(leave)
        return future

    @asynccontextmanager
    async def writing(self, limit: float | None = None) -> AsyncIterator[None]:
        """Excludes every other connect and stop, and every call, until the end of the block.

        Args:
            limit: seconds after which calls may enter although the block goes on, or None.
        """
        async with self._turn:
            self._open.clear()
            reopen: asyncio.TimerHandle | None = None
            try:
                await self._wait_for_entries()
                if limit is not None:
                    reopen = asyncio.get_running_loop().call_later(limit, self._open.set)
                yield
            finally:
                if reopen is not None:
                    reopen.cancel()
                self._open.set()

    async def write(self, function: Callable[[], Result]) -> Result:
        """Runs a call that writes the maps in a thread. Only inside `writing`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    async def _wait_for_entries(self) -> None:
        # Polled: entering is noted in threads, and an asyncio.Event would cost each call a trip through
        # the loop.
        while self._entering():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)

    def _entering(self) -> bool:
        now = time.monotonic()
        return any(entry.at is None or now - entry.at < ENTRY_SECONDS for entry in self._entries)

    def park(self, function: Callable[[], Result]) -> "Future[Result]":
        """Runs a call that blocks for the life of a session, in a thread of its own.

        The thread is a daemon: a session that does not end must not keep the process from ending.
        """
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for the future
                future.set_exception(error)

        threading.Thread(target=run, name="parked-session", daemon=True).start()
        return future

    def close(self) -> None:
        """Takes no more calls; those inside are left to end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
