"""Connections that nobody means well with: slow ones, many, and requests hidden in requests."""

import contextlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.hostile import Wire, request
from tests.support.stack import Stack, eventually

SMUGGLED = "smuggled"
PATIENCE = 5.0
"""Seconds in which others have to be served meanwhile; alone it takes milliseconds."""


@pytest.fixture
def address(stack: Stack) -> Iterator[tuple[str, int]]:
    """Where Envoy listens; afterwards node and Envoy are the processes that they were."""
    url = urlsplit(stack.ready["http"])
    processes = (stack.node, stack.envoy)
    yield url.hostname or "", url.port or 0
    assert all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def served(stack: Stack) -> None:
    """Others are served, and soon."""
    began = time.monotonic()
    assert stack.rest.get("/sessions", params={"limit": 1}).status_code == 200
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /api/v1/sess",
        b"GET /api/v1/sessions HTTP/1.1\r\nhost: a\r\nx-a: ",
        b"POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n{",
        b"POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["nothing", "half a line", "half a header", "half a body", "half a chunk", "HTTP/2 without settings"],
)
def test_slow_clients_keep_nobody_waiting(stack: Stack, address: tuple[str, int], beginning: bytes) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(300):
            client = opened.enter_context(socket.create_connection(address, timeout=10))
            client.sendall(beginning)
        for _ in range(5):
            served(stack)


def test_clients_that_never_read_keep_nobody_waiting(
    stack: Stack, session: str, address: tuple[str, int]
) -> None:
    ask = request(
        "GET", f"/api/v1/sessions/{session}/chats?limit=200", [f"x-api-key: {stack.ready['apiKey']}"]
    )
    before = stack.envoy.memory_info().rss
    with contextlib.ExitStack() as opened:
        for _ in range(50):
            client = opened.enter_context(socket.create_connection(address, timeout=10))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.sendall(ask * 500)
        for _ in range(5):
            served(stack)
        # per_connection_buffer_limit_bytes, at the very most
        assert stack.envoy.memory_info().rss - before < 50 * 4 * 1024 * 1024


def test_clients_that_hang_up_in_the_middle(stack: Stack, session: str, address: tuple[str, int]) -> None:
    key = f"x-api-key: {stack.ready['apiKey']}"
    whole = request("GET", f"/api/v1/sessions/{session}/chats?limit=200", [key])
    for size in (*range(1, len(whole), 7), len(whole)):
        with socket.create_connection(address, timeout=10) as client:
            client.sendall(whole[:size])
    served(stack)


INNER = (
    "POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\ncontent-length: {length}\r\n\r\n{body}"
)
OUTER = {
    "content-length and chunked": "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    "chunked and content-length": "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{inner}",
    "two lengths": "content-length: 0\r\ncontent-length: {length}\r\n\r\n{inner}",
    "a list of lengths": "content-length: 0, {length}\r\n\r\n{inner}",
    "a signed length": "content-length: +0\r\n\r\n{inner}",
    "a hexadecimal length": "content-length: 0x0\r\n\r\n{inner}",
    "an unknown coding": "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{inner}",
    "a coding behind chunked": "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}",
    "chunked twice": "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    "a space before the colon": "content-length : 0\r\ncontent-length: {length}\r\n\r\n{inner}",
    "a folded header": "x-a: b\r\n content-length: 0\r\ncontent-length: {length}\r\n\r\n{inner}",
    "a bad chunk size": "transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n{inner}",
    "a huge chunk size": "transfer-encoding: chunked\r\n\r\nffffffffffffffff0\r\n\r\n{inner}",
    "a line end in a chunk's extension": "transfer-encoding: chunked\r\n\r\n0;a\nb\r\n\r\n{inner}",
    "line feeds alone": "content-length: {length}\n\n{inner}",
    "a header in the value": "x-a: b\rcontent-length: 0\r\ncontent-length: {length}\r\n\r\n{inner}",
}


@pytest.mark.parametrize("outer", OUTER.values(), ids=OUTER.keys())
def test_a_request_in_a_request_is_not_obeyed(stack: Stack, address: tuple[str, int], outer: str) -> None:
    body = f'{{"label": "{SMUGGLED}"}}'
    # Without a key that is good the outer request changes nothing; the hidden one has one.
    inner = INNER.format(key=stack.ready["apiKey"], length=len(body), body=body)
    text = "POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\n" + outer.format(inner=inner, length=len(inner))
    wire = Wire(address, seconds=5)
    with contextlib.suppress(TimeoutError):
        answer = wire.ask(text.encode())
        assert answer.status in {0, 400, 401, 501}, answer
    wire.close()

    served(stack)
    listed = stack.rest.get("/sessions", params={"limit": 200}).json()["data"]
    assert SMUGGLED not in {session["label"] for session in listed}


def test_a_flood_of_connections(stack: Stack, address: tuple[str, int]) -> None:
    for _ in range(2000):
        with socket.create_connection(address, timeout=10) as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # TLS, where none is spoken
    served(stack)
    eventually(lambda: len(stack.envoy.net_connections()) < 200, "Envoy has let go of them", 30)
