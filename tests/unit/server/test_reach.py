"""Whether WhatsApp answers, asked of servers that do and servers that do not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio
import trustme

from server.whatsapp.reach import Reach
from server.whatsapp.wire import Wire
from tests.support.waiting import until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Servers:
    """Makes servers on loopback, and counts who asks them."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.asked = 0
        self._stack = stack
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("web.whatsapp.com").configure_cert(self._tls)

    async def open(self, serve: Serve, *, encrypted: bool = True) -> int:
        """Serves each connection by `serve`; returns the port."""

        async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.asked += 1
            try:
                await serve(reader, writer)
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(count, "127.0.0.1", 0, ssl=self._tls if encrypted else None)
        self._stack.push_async_callback(server.wait_closed)
        self._stack.callback(server.close)
        port: int = server.sockets[0].getsockname()[1]
        return port


@pytest_asyncio.fixture
async def servers() -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        yield Servers(stack)


async def test_behind_a_proxy_of_the_environment_the_library_is_left_to_look(servers: Servers) -> None:
    port = await servers.open(answers)
    assert await Reach(Wire(None, "127.0.0.1", port, is_hidden=True)).reachable()
    assert servers.asked == 0


def direct(port: int) -> Reach:
    return Reach(Wire(None, "127.0.0.1", port))


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /ws/chat HTTP/1.1\r\n")
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def leaves(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


async def listens(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(100):
        pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.whatsapp.reach.ANSWER_SECONDS", 0.3)


async def test_any_answer_will_do(servers: Servers) -> None:
    assert await direct(await servers.open(answers)).reachable()


async def test_who_says_nothing_is_not_reachable(servers: Servers) -> None:
    assert not await direct(await servers.open(leaves)).reachable()
    assert not await direct(await servers.open(leaves, encrypted=False)).reachable()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("encrypted", [True, False])
async def test_who_listens_and_never_answers_is_not_reachable(servers: Servers, *, encrypted: bool) -> None:
    assert not await direct(await servers.open(listens, encrypted=encrypted)).reachable()
    assert servers.asked == 1 or not encrypted


async def test_nobody_there_is_not_reachable(servers: Servers) -> None:
    async with unused() as port:
        pass
    assert not await direct(port).reachable()
    assert servers.asked == 0


@asynccontextmanager
async def unused() -> AsyncIterator[int]:
    """A port that nobody listens on once the block is over."""
    server = await asyncio.start_server(leaves, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.mark.usefixtures("impatient")
async def test_a_proxy_must_open_its_tunnel(servers: Servers) -> None:
    behind = await servers.open(answers)

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT web.whatsapp.com:443 ")
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        await asyncio.wait(
            [
                asyncio.ensure_future(carry(reader, inner_writer)),
                asyncio.ensure_future(carry(inner_reader, writer)),
            ]
        )

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    open_port = await servers.open(tunnel, encrypted=False)
    assert await Reach(Wire("http://127.0.0.1", "127.0.0.1", open_port)).reachable()
    shut_port = await servers.open(listens, encrypted=False)
    assert not await Reach(Wire("http://127.0.0.1", "127.0.0.1", shut_port)).reachable()


async def test_many_who_ask_together_look_once(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    reach = direct(await servers.open(answers))
    assert all(await asyncio.gather(*(reach.reachable() for _ in range(100))))
    assert servers.asked == 1
    # and what was found is not believed for ever
    monkeypatch.setattr("server.whatsapp.reach.FRESH_SECONDS", 0.0)
    assert await reach.reachable()
    await until(lambda: servers.asked == 2, "a second look")
