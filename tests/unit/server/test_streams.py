"""Streams beside each other, and how they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from server.auth.authenticator import Authenticator
from server.auth.principal import Capability
from server.rpc.serving import Serving
from server.store.events import BEFORE_ALL
from tests.support.caller import Caller
from tests.support.events import append, append_many, end_of, following, take
from tests.support.waiting import until
from tests.unit.server.office import Office

LARGE = {"text": "x" * 4_000}
"""A few hundred of them are more than what lies between a client that does not read and its node."""


@asynccontextmanager
async def impatient(office: Office) -> AsyncIterator[tuple[Serving, grpc.aio.Channel]]:
    """Serves the same node once more, and looks at tokens all the time."""
    node = office.node
    serving = Serving(
        node.gateway.servicers(node.tickets),
        Authenticator(node.keys),
        node.sessions,
        "127.0.0.1:0",
        audit=node.audit,
        tickets=node.tickets,
        authenticate_every=0.01,
    )
    port = await serving.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield serving, channel
        await serving.stop()


async def test_a_slow_reader_loses_nothing_and_keeps_nobody_waiting(office: Office) -> None:
    slow = office.owner.subscribe(after=BEFORE_ALL)
    fast = [office.owner.subscribe(after=BEFORE_ALL) for _ in range(3)]
    for stream in (slow, *fast):
        await following(stream)
    ids = await append_many(office.node.database, 600, payload=LARGE)
    for stream in fast:
        assert [event.id for event in await take(stream, 600)] == ids
    ids += await append(office.node.database, "last")
    for stream in fast:
        assert (await take(stream, 1))[0].id == ids[-1]
    assert [event.id for event in await take(slow, 601)] == ids


@pytest.mark.parametrize("is_reading", [True, False])
async def test_a_key_that_is_revoked_ends_its_streams_and_no_others(office: Office, is_reading: bool) -> None:
    node = office.node
    async with impatient(office) as (_, channel):
        key, secret = await node.keys.create(organization="acme", permissions=[Capability.READ], label="")
        revoked = Caller(channel, secret).subscribe()
        other = Caller(channel, office.owner.token).subscribe()
        await following(revoked)
        await following(other)
        if not is_reading:
            await append_many(node.database, 300, payload=LARGE)
        await node.keys.revoke(key.id)
        error = await end_of(revoked)
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        (event_id,) = await append(node.database, "afterwards")
        while (await take(other, 1))[0].id != event_id:
            pass


async def test_streams_end_with_the_node_so_that_readers_come_back(office: Office) -> None:
    ids = await append(office.node.database, "a")
    async with impatient(office) as (serving, channel):
        caller = Caller(channel, office.owner.token)
        streams = [caller.subscribe(after=BEFORE_ALL) for _ in range(5)]
        for stream in streams:
            await take(stream, 1)
        async with asyncio.timeout(5):
            await serving.stop()
        for stream in streams:
            error = await end_of(stream)
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert "subscribe again" in str(error.details())
    ids += await append(office.node.database, "b")
    again = office.owner.subscribe(after=ids[0])
    assert [event.id for event in await take(again, 1)] == ids[1:]


async def test_a_reader_that_goes_away_leaves_nothing_behind(office: Office) -> None:
    def tasks() -> set[str]:
        return {task.get_name() for task in asyncio.all_tasks()} & {"stream", "stream-token"}

    await append_many(office.node.database, 300, payload=LARGE)
    streams = [office.owner.subscribe(after=BEFORE_ALL), office.owner.subscribe()]
    for stream in streams:
        await following(stream)
    assert tasks() == {"stream", "stream-token"}
    for stream in streams:
        stream.cancel()
    await until(lambda: not tasks(), "the streams' tasks have ended")
    await until(lambda: not list(office.node.gateway.events.followed), "nobody listens any more")
