"""Readers of events that take nothing, and everybody else behind the same edge."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import httpx
import pytest

from server.store.database import Database, open_database
from tests.support.caller import Caller
from tests.support.events import append_many, following, take
from tests.support.sse import told_by
from tests.support.stack import Stack

OLDEST = "evt_" + "0" * 26
STUCK = 40
"""Readers: more than fit into the edge's window on a connection to the node, were it not made for them."""
EVENTS = 2500
LARGE = {"text": "x" * 4_000}


@asynccontextmanager
async def the_database(stack: Stack) -> AsyncIterator[Database]:
    embedded = f"sqlite:///{Path(stack.data_dir) / 'wagate.db'}"
    database = open_database(stack.environment.get("WAGATE_DATABASE_URL") or embedded)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def session(stack: Stack) -> Iterator[dict[str, str]]:
    made: dict[str, str] = stack.rest.post("/sessions", json={"label": "beside"}).json()
    yield made
    stack.rest.delete(f"/sessions/{made['id']}")


async def everybody_is_answered(stack: Stack, session: str) -> None:
    async with httpx.AsyncClient(
        base_url=stack.rest.base_url, headers=stack.rest.headers, timeout=10
    ) as rest:
        answers = await asyncio.gather(*(rest.get(f"/sessions/{session}") for _ in range(20)))
    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * 20


async def test_stuck_readers_change_nothing_for_the_rest(stack: Stack, session: dict[str, str]) -> None:
    async with the_database(stack) as database:
        ids = await append_many(database, EVENTS, organization=session["organizationId"], payload=LARGE)
    async with AsyncExitStack() as open_channels:
        readers = []
        for _ in range(STUCK + 1):
            # Each of its own, as from another machine.
            options = (("grpc.use_local_subchannel_pool", 1),)
            channel = grpc.aio.insecure_channel(stack.ready["grpc"], options=options)
            await open_channels.enter_async_context(channel)
            reader = Caller(channel, stack.ready["apiKey"]).subscribe(after=ids[0], events=["tick"])
            readers.append(reader)
            await following(reader)
        # All but one of them take nothing more: what the node has for them fills every buffer on the way.
        assert [event.id for event in await take(readers[0], EVENTS - 1)] == ids[1:]
        await everybody_is_answered(stack, session["id"])
        assert [event.id for event in await take(readers[-1], EVENTS - 1)] == ids[1:]


async def test_stuck_browsers_change_nothing_for_the_rest(stack: Stack, session: dict[str, str]) -> None:
    """The same with server-sent events, whose readers are on HTTP/1.1."""
    async with the_database(stack) as database:
        ids = await append_many(database, EVENTS, organization=session["organizationId"], payload=LARGE)
    async with AsyncExitStack() as open_sockets:
        readers = []
        for _ in range(STUCK + 1):
            reader, writer = await listening(stack, ids[0])
            open_sockets.callback(writer.close)
            readers.append(reader)
        assert [frame.id for frame in await told_by(readers[0], EVENTS - 1)] == ids[1:]
        await everybody_is_answered(stack, session["id"])
        assert [frame.id for frame in await told_by(readers[-1], EVENTS - 1)] == ids[1:]


async def listening(stack: Stack, since: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket that asked for the stream, and on which that has begun."""
    url = urlsplit(stack.ready["http"])
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=2**16)
    writer.write(
        f"GET /api/v1/events?since={since}&events=tick HTTP/1.1\r\nhost: {url.netloc}\r\n"
        f"authorization: Bearer {stack.ready['apiKey']}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return reader, writer
