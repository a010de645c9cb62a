"""What Envoy does with WebSockets: it lets them through, whatever their length and whatever their age."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web

from tests.edge.gateway import HOST, Gateway

PATH = "/api/v1/realtime"
BODY_LIMIT = 2 << 20
IMPATIENT = {"request_timeout": "0.3s", "request_headers_timeout": "0.3s"}
TICKS = 20


async def tell_and_count(request: web.Request) -> web.WebSocketResponse:
    """Sends a frame every 50 ms; says at the end how many bytes it was sent."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.05)  # as events come
            await socket.send_str("tick")

    ticking = asyncio.create_task(tick())
    received = 0
    async for message in socket:
        received += len(message.data)
        if message.data == "end":
            break
    ticking.cancel()
    await socket.send_json({"received": received, "path": request.path_qs, "headers": dict(request.headers)})
    await socket.close(code=4401, message=b"why")
    return socket


@asynccontextmanager
async def served(port: int) -> AsyncIterator[None]:
    """A server of WebSockets in the node's place."""
    app = web.Application()
    app.router.add_get(PATH, tell_and_count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    yield
    await runner.cleanup()


async def test_a_socket_outlives_every_limit_on_requests(tmp_path: Path) -> None:
    with Gateway(tmp_path, limits=IMPATIENT) as gateway:
        async with (
            served(gateway.realtime_port),
            ClientSession() as http,
            http.ws_connect(f"{gateway.url}{PATH}?ticket=t", headers={"x-envoy-retry-on": "5xx"}) as client,
        ):
            # longer than a request may take to arrive
            for _ in range(TICKS):
                assert (await client.receive(timeout=20)).data == "tick"
            # larger than a request may be
            for _ in range(BODY_LIMIT // 65536 + 2):
                await client.send_str("x" * 65536)
            await client.send_str("end")
            while (message := await client.receive(timeout=20)).data == "tick":
                pass
            told = message.json()
            assert told["received"] > BODY_LIMIT
            assert told["path"] == f"{PATH}?ticket=t"
            assert not [name for name in told["headers"] if name.lower().startswith("x-envoy-retry")]
            closed = await client.receive(timeout=20)
            assert (closed.type, closed.data, closed.extra) == (WSMsgType.CLOSE, 4401, "why")


async def test_without_a_node_the_handshake_is_refused_so_that_clients_come_back(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        async with ClientSession() as http:
            with pytest.raises(WSServerHandshakeError) as caught:
                await http.ws_connect(f"{gateway.url}{PATH}")
            assert caught.value.status == 503
