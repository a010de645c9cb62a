"""A webhook's receiver on loopback: takes what is posted, or misbehaves as it is told."""

import asyncio
import json
import queue
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.waiting import until

Behaviour = Callable[[web.Request, "Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One POST as it came."""

    body: bytes
    headers: dict[str, str]
    path: str

    @property
    def event(self) -> dict[str, Any]:
        """The envelope."""
        envelope: dict[str, Any] = json.loads(self.body)
        return envelope

    @property
    def event_id(self) -> str:
        """The event's id; "" where the body is no envelope."""
        try:
            return str(self.event["id"])
        except (ValueError, KeyError):
            return ""


def answering(status: int, **headers: str) -> Behaviour:
    """Answers with a status."""

    async def answer(_request: web.Request, _received: Received) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return answer


def choosing(choose: Callable[[Received], Behaviour]) -> Behaviour:
    """Does with each POST what `choose` says."""

    async def answer(request: web.Request, received: Received) -> web.StreamResponse:
        return await choose(received)(request, received)

    return answer


def answering_to(event: str, status: int) -> Behaviour:
    """Takes everything but the events of one name, to which it answers with a status."""
    good, bad = answering(200), answering(status)
    return choosing(lambda received: bad if received.event["event"] == event else good)


async def hanging(_request: web.Request, _received: Received) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError("nothing sets it")


async def resetting(request: web.Request, _received: Received) -> web.StreamResponse:
    """Breaks the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


async def trickling(request: web.Request, _received: Received) -> web.StreamResponse:
    """Answers 200, and its body byte by byte, without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.01)  # what is slow about it


async def flooding(request: web.Request, _received: Received) -> web.StreamResponse:
    """Answers 200 and a body without end, as fast as it is taken."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


@dataclass
class Receiver:
    """A receiver that runs.

    Attributes:
        received: every POST that came, those that were not taken as well.
        taken: the ids of the events that it answered with 2xx, in its order.
        behaves: what it does; taking is the default.
        at_once: POSTs under way; `most`: so many were under way at the same time.
    """

    received: list[Received] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    behaves: Behaviour = field(default_factory=lambda: answering(200))
    at_once: int = 0
    most: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Takes one POST."""
        received = Received(await request.read(), dict(request.headers), request.path)
        self.received.append(received)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            response = await self.behaves(request, received)
        finally:
            self.at_once -= 1
        if 200 <= response.status < 300:
            self.taken.append(received.event_id)
        return response

    async def took(self, ids: list[str], *, maybe_twice: bool = False) -> None:
        """Waits until it has taken so many events; they must be these, in this order.

        Args:
            ids: the events'.
            maybe_twice: whether an event may come again right away: a busy machine may answer later than
                the sender waits.
        """
        await until(lambda: len(set(self.taken)) >= len(ids), f"{len(ids)} events are taken", within=30)
        assert (list(dict.fromkeys(self.taken)) if maybe_twice else self.taken) == ids

    async def was_posted(self, count: int) -> None:
        """Waits for so many POSTs, taken or not."""
        await until(lambda: len(self.received) >= count, f"{count} POSTs have come", within=30)


@asynccontextmanager
async def receiving(port: int = 0, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Runs a receiver for as long as the block runs.

    Args:
        port: on loopback; 0 takes a free one.
        tls: its certificate, where it speaks TLS.
    """
    receiver = Receiver()
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@contextmanager
def receiving_aside() -> Iterator[Receiver]:
    """Runs a receiver in a thread of its own, for tests that wait without an event loop."""
    with ThreadPoolExecutor(1, thread_name_prefix="receiver") as pool:
        ready: queue.Queue[tuple[Receiver, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

        async def run() -> None:
            over = asyncio.Event()
            async with receiving() as receiver:
                ready.put((receiver, asyncio.get_running_loop(), over))
                await over.wait()

        running = pool.submit(asyncio.run, run())
        receiver, loop, over = ready.get(timeout=30)
        try:
            yield receiver
        finally:
            loop.call_soon_threadsafe(over.set)
            running.result(timeout=30)
