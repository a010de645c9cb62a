"""Follows the events of a gateway, also while it restarts."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final

from wagate.v1 import events_pb2 as pb

from server.errors import Code, WagateError
from server.remote.gateway import Gateway

HEARTBEAT: Final = "heartbeat"
BEFORE_ALL: Final = "evt_" + "0" * 26
"""The cursor in front of the oldest event that is kept (docs/following.md)."""
SILENCE_SECONDS: Final = 40.0
"""Of silence after which a stream is dead: heartbeats come every 15 (docs/following.md)."""
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each next attempt; the last one for ever."""
_AGAIN: Final = {Code.UNAVAILABLE, Code.TIMEOUT, Code.INTERNAL}


async def followed(
    gateway: Gateway,
    *,
    after: str = "",
    sessions: Sequence[str] = (),
    names: Sequence[str] = (),
    interrupted: Callable[[WagateError], None] = lambda _error: None,
) -> AsyncGenerator[pb.Event, None]:
    """Events as they happen, without end and without heartbeats; each once.

    When the stream breaks it is opened again behind the last event. A gateway that cannot be reached at
    the very beginning is an error, because then the address is probably wrong.

    Args:
        gateway: whose.
        after: the id behind which to begin; "" for now.
        sessions: ids of sessions: events of these alone; none of them for all.
        names: names of events: these alone; none of them for all.
        interrupted: told each time that the stream broke.

    Raises:
        WagateError: the gateway refuses: asking again would not help.
    """
    attempts, is_begun = 0, False
    while True:
        request = pb.SubscribeRequest(after=after, sessions=sessions, events=names)
        try:
            async with aclosing(gateway.follow(gateway.events.Subscribe, request)) as stream:
                while True:
                    try:
                        event = await asyncio.wait_for(anext(stream), SILENCE_SECONDS)
                    except (TimeoutError, StopAsyncIteration):
                        raise WagateError(Code.UNAVAILABLE, "the stream of events fell silent") from None
                    is_begun, attempts, after = True, 0, event.id
                    if event.event != HEARTBEAT:
                        yield event
        except WagateError as error:
            if error.code not in _AGAIN or not is_begun:
                raise
            if not attempts:
                interrupted(error)
        await asyncio.sleep(_PAUSES[min(attempts, len(_PAUSES) - 1)])  # nothing tells when it is back
        attempts += 1
