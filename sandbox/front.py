"""The network's one port: a proxy that ends TLS itself for WhatsApp's hosts, and plain HTTP for control.

A client asks the proxy for a tunnel to WhatsApp; the tunnel leads no further than this process. Everything
else on the port is the control API.
"""

import asyncio
import fnmatch
import logging
import ssl
from collections.abc import Callable
from typing import cast

from aiohttp import web

from sandbox.certificates import HOSTS

__all__ = ["Front", "Gate"]

_log = logging.getLogger(__name__)

_MAX_HEAD = 16_384
_HEAD_SECONDS = 20
_CONNECT = b"CONNECT "

Gate = Callable[[], bool]
"""Says what becomes of a new tunnel now: whether the network is as if it were down, or dead."""


class Front(asyncio.Protocol):
    """One TCP connection, until it is clear what it is for.

    Args:
        control: Serves the control API.
        whatsapp: Serves what goes through the tunnel.
        tls: The context for WhatsApp's names.
        refused: Whether new tunnels are refused.
        frozen: Whether requests for tunnels are left without an answer.
    """

    def __init__(
        self,
        control: web.Server,
        whatsapp: web.Server,
        tls: ssl.SSLContext,
        refused: Gate,
        frozen: Gate,
    ) -> None:
        self._control = control
        self._whatsapp = whatsapp
        self._tls = tls
        self._refused = refused
        self._frozen = frozen
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._tunnel: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for the first bytes."""
        self._transport = cast("asyncio.Transport", transport)
        self._deadline = asyncio.get_running_loop().call_later(_HEAD_SECONDS, self._transport.abort)

    def connection_lost(self, _error: Exception | None) -> None:
        """The client left before it said what it wants."""
        self._decided()

    def data_received(self, data: bytes) -> None:
        """Decides by the first bytes who serves the connection."""
        self._received += data
        transport = self._transport
        if transport is None or self._tunnel is not None:
            return
        if not self._received.startswith(_CONNECT[: len(self._received)]):
            self._decided()
            _hand_over(transport, self._control(), self._received)
        elif b"\r\n\r\n" in self._received:
            self._decided()
            self._connect(transport)
        elif len(self._received) > _MAX_HEAD:
            _refuse(transport, 431, "the request's head is too large")

    def _connect(self, transport: asyncio.Transport) -> None:
        head, _, rest = self._received.partition(b"\r\n\r\n")
        target = head.split(b" ", 2)[1].decode(errors="replace")
        host, _, port = target.rpartition(":")
        if self._refused():
            transport.abort()
        elif self._frozen():
            _log.debug("a tunnel is asked for, and never will be opened")
        elif port != "443" or not any(fnmatch.fnmatchcase(host, known) for known in HOSTS):
            _refuse(transport, 502, f"{target} is not part of this sandbox; it serves {', '.join(HOSTS)}")
        elif rest:
            _refuse(transport, 400, "the client sent data before the tunnel was open")
        else:
            # The client's first TLS bytes must wait for start_tls.
            transport.pause_reading()
            transport.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            self._tunnel = asyncio.create_task(self._open_tunnel(transport), name="tunnel")

    async def _open_tunnel(self, transport: asyncio.Transport) -> None:
        handler = self._whatsapp()
        try:
            inner = await asyncio.get_running_loop().start_tls(
                transport, handler, self._tls, server_side=True
            )
        except (ssl.SSLError, OSError) as error:
            _log.warning("a client does not trust this network, or left: %s", error)
            transport.abort()
            return
        if inner is not None:
            handler.connection_made(inner)

    def _decided(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def _hand_over(transport: asyncio.Transport, handler: asyncio.Protocol, received: bytes) -> None:
    transport.set_protocol(handler)
    handler.connection_made(transport)
    handler.data_received(received)


def _refuse(transport: asyncio.Transport, status: int, reason: str) -> None:
    body = f"{reason}\n".encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    transport.write(head.encode() + b"Connection: close\r\n\r\n" + body)
    transport.close()
