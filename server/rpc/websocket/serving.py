"""The node's port for plain HTTP: Envoy leads `/api/v1/realtime` here, and the paths of pages."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from server.errors import Code, WagateError, not_found
from server.events.realtime import Realtime
from server.rpc.status import HTTP, envelope
from server.rpc.streaming import AUTHENTICATE_SECONDS, Streams
from server.rpc.websocket.connection import CLOSE_SECONDS, WRITE_SECONDS, Connection, Desk
from server.rpc.websocket.seats import Seats

PATH: Final = "/api/v1/realtime"
"""Where the WebSocket is (REST API, Events)."""
PING_SECONDS: Final = 40.0
"""How long a client is silent before it is pinged; it has half of that to answer."""
MESSAGE_LENGTH: Final = 1024
"""Bytes from which on what a client sends is not even looked at: there is nothing to say."""
_HEADER_LENGTH: Final = 64 * 1024
"""Above what the edge lets through (docs/operations.md), so that the edge alone refuses what is too long."""


Elsewhere = Callable[[web.BaseRequest], web.StreamResponse]
"""Answers requests for other paths than the WebSocket's."""


class WebSocketServing:
    """The running server."""

    def __init__(
        self,
        realtime: Realtime,
        host: str,
        port: int,
        *,
        seats: Seats,
        elsewhere: Elsewhere | None = None,
        authenticate_every: float = AUTHENTICATE_SECONDS,
        ping_after: float = PING_SECONDS,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        """Prepares the server.

        Args:
            realtime: opens streams with tickets.
            host: where to listen.
            port: 0 takes a free one.
            seats: how many sockets there may be.
            elsewhere: answers for every other path; None refuses them.
            authenticate_every: seconds between looks at the token behind an open socket.
            ping_after: seconds of a client's silence after which it is pinged.
            write_seconds: how long a client may take nothing.
        """
        self._streams = Streams(every=authenticate_every)
        self._desk = Desk(realtime, self._streams, seats, write_seconds)
        self._ping_after = ping_after
        self._elsewhere = elsewhere or _nothing
        server = web.Server(
            self._answer,
            # The path holds the ticket.
            access_log=None,
            max_line_size=_HEADER_LENGTH,
            max_field_size=_HEADER_LENGTH,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=2 * CLOSE_SECONDS)
        self._host, self._port = host, port

    async def start(self) -> int:
        """Serves.

        Returns:
            The port.

        Raises:
            WagateError: UNAVAILABLE where the port cannot be had.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, reuse_address=True).start()
        except OSError as error:
            await self._runner.cleanup()
            raise WagateError(
                Code.UNAVAILABLE,
                f"cannot listen on {self._host}:{self._port}: another process has that port. "
                "End it, or set WAGATE_REALTIME_PORT.",
            ) from error
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Takes no new sockets, and closes those that are open so that their clients come back."""
        self._streams.close()
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.removesuffix("/") != PATH:
            return self._elsewhere(request)
        socket = web.WebSocketResponse(
            timeout=CLOSE_SECONDS,
            heartbeat=self._ping_after,
            # It costs every socket a compressor's memory.
            compress=False,
            max_msg_size=MESSAGE_LENGTH,
        )
        if not socket.can_prepare(request):
            return _refusal(
                WagateError(Code.VALIDATION_ERROR, "not the handshake of a WebSocket (RFC 6455, 4.2.1)")
            )
        await socket.prepare(request)
        await Connection(self._desk, request, socket).run()
        return socket


def _nothing(_request: web.BaseRequest) -> web.Response:
    return _refusal(not_found("such a path of this server"))


def _refusal(error: WagateError) -> web.Response:
    return web.Response(status=HTTP[error.code], body=envelope(error), content_type="application/json")
