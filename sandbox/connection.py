"""One client's connection: frames in WebSocket messages, the Noise handshake, then stanzas both ways."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMsgType, web

from sandbox.binary_xml import Codec
from sandbox.curve import KeyPair
from sandbox.noise import PROLOGUE, HandshakeError, Responder, Transport
from sandbox.stanza import Node
from sandbox.stats import Stats
from sandbox.wire_protos import ClientPayload

__all__ = ["Connection", "ConnectionLostError", "thawed"]

_log = logging.getLogger(__name__)

_LENGTH_BYTES = 3
_HANDSHAKE_SECONDS = 20
_LINGER_SECONDS = 0.5
_BATCH_BYTES = 1 << 18
_BACKLOG_BYTES = 4 << 20
_THAW_SECONDS = 0.05


class ConnectionLostError(Exception):
    """The client went away."""


class Connection:
    """A client's connection.

    Args:
        socket: The WebSocket, already accepted.
        abort: Closes the TCP connection at once, without goodbye.
        codec: Encodes and decodes stanzas.
        stats: Where stanzas are counted.

    Attributes:
        frozen: Whether nothing goes either way at the moment, while the socket stays open.
    """

    def __init__(
        self, socket: web.WebSocketResponse, abort: Callable[[], None], codec: Codec, stats: Stats
    ) -> None:
        self._socket = socket
        self.abort = abort
        self._codec = codec
        self._stats = stats
        self.frozen: Callable[[], bool] = lambda: False
        self._received = bytearray()
        self._transport: Transport | None = None
        self._outgoing: list[bytes] = []
        self._backlog = 0
        self._closing = False
        self._wake = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def accept(self, static: KeyPair, chain: bytes) -> tuple[bytes, ClientPayload]:
        """Performs the handshake.

        Args:
            static: The server's static key.
            chain: The certificate chain for it, serialized.

        Returns:
            The client's static public key (32 bytes) and what it says about itself.

        Raises:
            HandshakeError: The client's side is wrong, or it took longer than 20 s.
            ConnectionLostError: The client went away.
        """
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                responder = Responder(static, chain)
                hello = await self._handshake_frame(PROLOGUE)
                await self._socket.send_bytes(_framed(responder.hello(hello)))
                finish = await self._handshake_frame(b"")
        except TimeoutError as error:
            raise HandshakeError(f"no handshake within {_HANDSHAKE_SECONDS} s") from error
        client, payload, self._transport = responder.finish(finish)
        return client, payload

    async def run(self, handle: Callable[[Node], None]) -> None:
        """Passes each stanza on until the connection ends.

        Args:
            handle: Called with each stanza in order; never waits.

        Raises:
            ValueError: The client sent what is no stanza.
        """
        writer = asyncio.create_task(self._write(), name="connection-writer")
        try:
            self._handle_frames(handle)  # the handshake may have read ahead
            while True:
                await self._read()
                await thawed(self.frozen)
                self._handle_frames(handle)
                await self._writable.wait()
        except ConnectionLostError:
            pass
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def send(self, node: Node) -> None:
        """Queues a stanza."""
        self.send_encoded(self._codec.encode(node))

    def send_encoded(self, stanza: bytes) -> None:
        """Queues a stanza that is encoded already."""
        if self._closing:
            return
        self._stats.stanzas_out += 1
        self._outgoing.append(stanza)
        self._backlog += len(stanza)
        if self._backlog > _BACKLOG_BYTES:
            self._writable.clear()
        self._wake.set()

    def close(self) -> None:
        """Ends the connection once all that is queued was sent.

        The client gets a moment to close first: while it is told why the connection ends, a closed socket can
        overtake the reason in the client's own queues.
        """
        self._closing = True
        self._wake.set()

    def _handle_frames(self, handle: Callable[[Node], None]) -> None:
        transport = self._transport
        if transport is None:
            raise RuntimeError("stanzas come after the handshake")
        while (frame := self._next_frame()) is not None:
            if self._closing:
                continue
            self._stats.stanzas_in += 1
            handle(self._codec.decode(transport.decrypt(frame)))

    async def _read(self) -> None:
        message = await self._socket.receive()
        if message.type is WSMsgType.BINARY:
            self._received += message.data
        elif message.type is WSMsgType.TEXT:
            raise HandshakeError("the client sent text where only binary frames belong")
        else:
            raise ConnectionLostError

    def _next_frame(self) -> bytes | None:
        received = self._received
        if len(received) < _LENGTH_BYTES:
            return None
        end = _LENGTH_BYTES + int.from_bytes(received[:_LENGTH_BYTES], "big")
        if len(received) < end:
            return None
        frame = bytes(received[_LENGTH_BYTES:end])
        # Cheap: a bytearray drops its beginning without moving the rest.
        del received[:end]
        return frame

    async def _handshake_frame(self, prologue: bytes) -> bytes:
        while len(self._received) < len(prologue) + _LENGTH_BYTES:
            await self._read()
        if not self._received.startswith(prologue):
            raise HandshakeError(f"the client speaks another protocol: {self._received[:4].hex()}")
        del self._received[: len(prologue)]
        while True:
            frame = self._next_frame()
            if frame is not None:
                return frame
            await self._read()

    async def _write(self) -> None:
        transport = self._transport
        if transport is None:
            raise RuntimeError("stanzas come after the handshake")
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await thawed(self.frozen)
                while self._outgoing:
                    batch, self._outgoing, self._backlog = self._outgoing, [], 0
                    out = bytearray()
                    for stanza in batch:
                        out += _framed(transport.encrypt(stanza))
                        if len(out) > _BATCH_BYTES:
                            await self._socket.send_bytes(bytes(out))
                            out.clear()
                    if out:
                        await self._socket.send_bytes(bytes(out))
                self._writable.set()
                if self._closing:
                    await asyncio.sleep(_LINGER_SECONDS)  # the client reads the stream error before the end
                    await self._socket.close()
                    return
        except (ConnectionError, RuntimeError) as error:
            # The reader notices the end of the connection by itself.
            _log.debug("a client went away while it was written to: %s", error)
            self._closing = True
            self._writable.set()


async def thawed(frozen: Callable[[], bool]) -> None:
    """Waits until nothing is frozen any more."""
    while frozen():  # noqa: ASYNC110 - a fault may end with the clock alone
        await asyncio.sleep(_THAW_SECONDS)  # no event tells of the clock


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body
