"""Whether WhatsApp can be reached: asked before a client connects, because that cannot be given up."""

import asyncio
import contextlib
import ssl
from typing import Final

from server.clock import elapsed_seconds
from server.stand_in import WHATSAPP
from server.whatsapp.wire import Wire

ANSWER_SECONDS: Final = 5.0
"""How long the whole of a look may take."""
FRESH_SECONDS: Final = 1.0
"""How long an answer holds: sessions that lost their connections together ask together."""

_HOST, _PORT = WHATSAPP
_TUNNEL: Final = f"CONNECT {_HOST}:{_PORT} HTTP/1.1\r\nHost: {_HOST}:{_PORT}\r\n\r\n".encode()
# The request with which the library begins. Its answer does not matter, only that there is one.
_UPGRADE: Final = (
    f"GET /ws/chat HTTP/1.1\r\nHost: {_HOST}\r\nOrigin: https://{_HOST}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2FnYXRlIGxvb2tzIGFyb3U=\r\n\r\n"
).encode()


class Reach:
    """Looks whether WhatsApp answers. A port that takes connections is not enough.

    The library waits without an end for the answer to its first request, and meanwhile no other session of
    the process can connect or stop (docs/decisions/0341).
    """

    def __init__(self, wire: Wire) -> None:
        """Looks along `wire`."""
        self._wire = wire
        self._looked_at = float("-inf")
        self._found = False
        self._looking = asyncio.Lock()

    async def reachable(self) -> bool:
        """Whether WhatsApp answers now, or did a moment ago; also where the way there is not known."""
        if self._wire.is_hidden:
            return True
        async with self._looking:
            if elapsed_seconds() - self._looked_at > FRESH_SECONDS:
                self._found = await self._look()
                self._looked_at = elapsed_seconds()
            return self._found

    async def _look(self) -> bool:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(self._wire.host, self._wire.port)
                if self._wire.proxy is not None:
                    writer.write(_TUNNEL)
                    await reader.readuntil(b"\r\n\r\n")
                await writer.start_tls(_unverified(), server_hostname=_HOST)
                writer.write(_UPGRADE)
                return bool(await reader.readline())
        except (OSError, EOFError, asyncio.LimitOverrunError):  # OSError: also out of time, and TLS's own
            return False
        finally:
            if writer is not None:
                with contextlib.suppress(RuntimeError):
                    writer.transport.abort()


def _unverified() -> ssl.SSLContext:
    """Nothing is told to whoever answers here, nor believed: the library verifies for itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
