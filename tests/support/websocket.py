"""WebSockets of tests: whole ones, and frames by hand."""

import asyncio
import base64
import json
import os
import socket
import struct
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientWebSocketResponse, WSMsgType

from server.events.subscription import HEARTBEAT

DEADLINE = 20.0
"""Seconds for a frame to come."""
Event = dict[str, Any]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


async def frame(client: ClientWebSocketResponse) -> Event:
    """The next event, whatever it is."""
    message = await client.receive(timeout=DEADLINE)
    assert message.type is WSMsgType.TEXT, f"closed with {client.close_code} instead: {message}"
    event: Event = json.loads(message.data)
    return event


async def following(client: ClientWebSocketResponse) -> Event:
    """The first event, once it has come: from now on the socket follows."""
    first = await frame(client)
    assert first["event"] == HEARTBEAT
    return first


async def take(client: ClientWebSocketResponse, count: int) -> list[Event]:
    """The next so many events that are no heartbeats."""
    taken: list[Event] = []
    while len(taken) < count:
        event = await frame(client)
        if event["event"] != HEARTBEAT:
            taken.append(event)
    return taken


async def end_of(client: ClientWebSocketResponse) -> tuple[int | None, str]:
    """How a socket ends, after whatever is still under way: code and reason."""
    async with asyncio.timeout(DEADLINE):
        while True:
            message = await client.receive()
            if message.type is WSMsgType.CLOSE:
                return client.close_code, str(message.extra)
            if message.type is not WSMsgType.TEXT:
                return client.close_code, ""


def frame_of(opcode: int, payload: bytes, *, final: bool = True, length: int | None = None) -> bytes:
    """A client's frame; `length`, where given, is what it claims instead of its payload's."""
    claimed = len(payload) if length is None else length
    if claimed < 126:
        size = bytes([0x80 | claimed])
    elif claimed < 65536:
        size = bytes([0x80 | 126]) + struct.pack(">H", claimed)
    else:
        size = bytes([0x80 | 127]) + struct.pack(">Q", claimed)
    # Masked with zeros, which change nothing.
    return bytes([(0x80 if final else 0) | opcode]) + size + bytes(4) + payload


class Raw:
    """A client that sends what it likes, byte for byte."""

    def __init__(self, address: tuple[str, int], path: str, *, receive_buffer: int = 0) -> None:
        """Shakes hands.

        Args:
            address: where to connect to.
            path: with the query.
            receive_buffer: bytes that the system takes for a client that does not read; 0 as it likes.
        """
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        self.socket.sendall(f"{head}sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode())
        self._unread = b""
        while b"\r\n\r\n" not in self._unread:
            more = self.socket.recv(1)
            assert more, f"no handshake: {self._unread!r}"
            self._unread += more
        assert b" 101 " in self._unread.split(b"\r\n")[0], self._unread
        self._unread = b""

    def send(self, opcode: int, payload: bytes) -> None:
        """Sends a frame."""
        self.socket.sendall(frame_of(opcode, payload))

    def receive(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload.

        Raises:
            EOFError: the connection is closed.
        """
        opcode, length = self._take(2)
        length &= 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return opcode & 0xF, self._take(length)

    def close_code(self) -> int:
        """The code with which the other side closes; 0 where it hangs up without one."""
        try:
            while True:
                opcode, payload = self.receive()
                if opcode == CLOSE:
                    (code,) = struct.unpack(">H", payload[:2])
                    return int(code)
        except (EOFError, ConnectionError):
            return 0

    def answers(self) -> bool:
        """Whether a ping is answered, behind whatever is still under way."""
        self.send(PING, b"still there")
        while True:
            opcode, payload = self.receive()
            if opcode == PONG:
                return payload == b"still there"

    def close(self) -> None:
        """Hangs up."""
        self.socket.close()

    def __enter__(self) -> Self:
        """Is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hangs up."""
        self.close()

    def _take(self, count: int) -> bytes:
        while len(self._unread) < count:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self._unread += more
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken
