"""Server-sent events, as browsers' EventSource reads them (HTML Standard, Server-sent events)."""

from collections.abc import Iterable, Iterator
from typing import Final

from server.errors import WagateError
from server.events.envelope import envelope, once
from server.store.event_log import StoredEvent

CONTENT_TYPE: Final = "text/event-stream"
HEADERS: Final = (("cache-control", "no-cache"), ("x-accel-buffering", "no"))
"""Keep caches, and proxies that gather answers, from holding events back."""
OPENING: Final = b"retry: 3000\n\n"
"""How many milliseconds a browser waits before it comes back."""
CHUNK: Final = 64 * 1024
"""Bytes from which on frames are not put together any more: a reader that takes nothing holds little."""


def chunks(events: Iterable[StoredEvent]) -> Iterator[bytes]:
    """The frames of events, as many together as make sense to send at once."""
    gathered: list[bytes] = []
    size = 0
    for event in events:
        gathered.append(once(event, _frame))
        size += len(gathered[-1])
        if size >= CHUNK:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def farewell(error: WagateError) -> bytes:
    """The last line of a stream: a comment for people.

    EventSource hands no comment to the page, comes back by itself, and is told by the status then whether
    it may. An event called `error` would be taken for an error of the connection.
    """
    return f": {error.code}: {' '.join(error.message.split())}\n\n".encode()


def _frame(event: StoredEvent) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.name.encode(), envelope(event))
