"""Notices that whoever read the output has gone away, also while there is nothing to print."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO


@asynccontextmanager
async def reader_gone(out: TextIO) -> AsyncIterator["asyncio.Future[None]"]:
    """A future that is done as soon as the other end of a pipe is closed; never, where `out` is no pipe."""
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    descriptor = out.fileno()
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        yield gone
        gone.cancel()
        return

    # Nothing can be read from this end: the only thing to be told here is that the other one was closed.
    def closed() -> None:
        loop.remove_reader(descriptor)
        if not gone.done():
            gone.set_result(None)

    loop.add_reader(descriptor, closed)
    try:
        yield gone
    finally:
        loop.remove_reader(descriptor)
        gone.cancel()
