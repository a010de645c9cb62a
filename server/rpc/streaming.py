"""Calls that answer with a stream: how long they may go on, and how they end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeVar

from server.errors import Code, WagateError

AUTHENTICATE_SECONDS: Final = 5.0
"""Between looks at the token of a stream: a revocation ends it within about that time."""

Sent = TypeVar("Sent")
Write = Callable[[Sent], Awaitable[None]]
"""Sends something; returns when the reader's flow control has taken it."""
Look = Callable[[], Awaitable[object]]
"""Raises where the token that a stream was opened with is no longer in force."""


class Streams:
    """The streams that are open on this node."""

    def __init__(self, *, every: float = AUTHENTICATE_SECONDS) -> None:
        """None is open at first.

        Args:
            every: seconds between looks at a stream's token.
        """
        self._every = every
        self._open: set[asyncio.Future[None]] = set()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the node stops."""
        return self._is_closed

    async def run(self, look: Look, messages: AsyncGenerator[Sent, None], write: Write[Sent]) -> None:
        """Sends messages until there are no more of them, or the stream must end.

        Args:
            look: looks whether the token is still in force.
            messages: what to send; closed at the end.
            write: sends one of them.

        Raises:
            WagateError: UNAUTHORIZED when the token is no longer in force, UNAVAILABLE when the node stops
                or cannot find out, and whatever `messages` raises.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(ended)
        sending = asyncio.create_task(_send(messages, write), name="stream")
        watch = asyncio.create_task(self._watch(look, ended), name="stream-token")
        try:
            if self._is_closed:
                _end(ended, _stopping())
            await asyncio.wait({sending, ended}, return_when=asyncio.FIRST_COMPLETED)
            (ended if ended.done() else sending).result()
        finally:
            self._open.discard(ended)
            for future in (ended, watch, sending):
                future.cancel()
            await asyncio.gather(ended, watch, sending, return_exceptions=True)

    def close(self) -> None:
        """Ends every stream, also those that are opened from now on: readers come back elsewhere."""
        self._is_closed = True
        for ended in tuple(self._open):
            _end(ended, _stopping())

    async def _watch(self, look: Look, ended: asyncio.Future[None]) -> None:
        while True:
            await asyncio.sleep(self._every)  # a revocation is found by looking
            try:
                await look()
            except Exception as error:  # noqa: BLE001 - the call's own task tells it to the reader
                _end(ended, error)
                return


async def _send(messages: AsyncGenerator[Sent, None], write: Write[Sent]) -> None:
    async with aclosing(messages):
        async for message in messages:
            await write(message)


def _end(ended: asyncio.Future[None], error: Exception) -> None:
    if not ended.done():
        ended.set_exception(error)


def _stopping() -> WagateError:
    return WagateError(
        Code.UNAVAILABLE, "the node stops; subscribe again, after the id of the last event", retry_after=1
    )
