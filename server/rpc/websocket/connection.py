"""One socket, from its ticket to its last frame."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import WSMsgType, web
from ulid import ULID

from server.errors import Code, WagateError, invalid
from server.events.envelope import envelope
from server.events.realtime import Realtime
from server.events.subscription import Subscription
from server.rpc.streaming import Streams
from server.rpc.websocket.closing import Ending
from server.rpc.websocket.seats import Seats

log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 5.0
"""How long a client may take to answer the last frame."""
WRITE_SECONDS: Final = 60.0
"""How long a client may take nothing while there is something for it. It comes back after its last id."""
PARAMETERS: Final = frozenset({"ticket", "after"})
"""What the query may hold, each once."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What all sockets of a node share.

    Attributes:
        realtime: opens streams with tickets.
        streams: those that are open, which end with the node and with their tokens.
        seats: how many there may be.
        write_seconds: see `WRITE_SECONDS`.
    """

    realtime: Realtime
    streams: Streams
    seats: Seats
    write_seconds: float = WRITE_SECONDS


class Connection:
    """Tells a client what happens until one of the two has enough."""

    def __init__(self, desk: Desk, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        """Serves a socket whose handshake is done.

        Args:
            desk: shared with the others.
            request: the handshake. Its path holds the ticket, and is logged nowhere.
            socket: sends and receives frames.
        """
        self._desk = desk
        self._query = request.query
        self._transport = request.transport
        self._socket = socket

    async def run(self) -> None:
        """Serves it, and lets go of everything that belongs to it."""
        following = asyncio.create_task(self._follow(), name="websocket")
        listening = asyncio.create_task(self._listen(), name="websocket-listen")
        tasks = (following, listening)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ending = next(task for task in tasks if task in done).result()
        finally:
            # Both of them: as long as somebody listens, closing does not wait for the client's answer.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._transport is not None:
                # What a client does not take would keep the connection open for good.
                asyncio.get_running_loop().call_later(2 * CLOSE_SECONDS, self._transport.abort)
        if ending is not None:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._socket.close(code=ending.code, message=ending.reason)

    async def _follow(self) -> Ending | None:
        """Sends events; returns how to end, or None where there is nobody left to tell."""
        try:
            query = _checked(self._query)
            grant, subscription = await self._desk.realtime.open(
                query.get("ticket", ""), after=query.get("after", "")
            )
            with self._desk.seats.taken(grant.principal.organization_id):
                look = partial(self._desk.realtime.confirm, grant)
                await self._desk.streams.run(look, _envelopes(subscription), self._write)
        except WagateError as error:
            return Ending.of(error, is_stopping=self._desk.streams.is_closed)
        except (ConnectionError, TimeoutError):
            return None  # it has gone, or takes nothing
        except Exception:
            reference = str(ULID())
            log.exception("a socket failed (reference %s)", reference)
            told = WagateError(Code.INTERNAL, f"a defect of the gateway; its log has reference {reference}")
            return Ending.of(told, is_stopping=False)
        raise AssertionError("a subscription never ends by itself")

    async def _write(self, text: bytes) -> None:
        async with asyncio.timeout(self._desk.write_seconds):
            await self._socket.send_frame(text, WSMsgType.TEXT)

    async def _listen(self) -> Ending | None:
        """Returns when the client has closed, vanished or broken the protocol, or sends something.

        Pings are answered by the library meanwhile.
        """
        with suppress(ConnectionError):  # while a ping is answered
            async for message in self._socket:
                if message.type is not WSMsgType.ERROR:
                    return Ending.nothing_taken()
        return None


def _checked(query: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters, where they are those that there are."""
    for name in query:
        if name not in PARAMETERS:
            raise invalid(name, "unknown query parameter")
    if len(query) > len(set(query)):
        raise WagateError(Code.VALIDATION_ERROR, "a query parameter is given twice")
    return query


async def _envelopes(subscription: Subscription) -> AsyncGenerator[bytes, None]:
    async with aclosing(subscription.events()) as events:
        async for event in events:
            yield envelope(event)
