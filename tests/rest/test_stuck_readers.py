"""Readers of events that take nothing, and everybody else behind the same edge."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import httpx

from server.store.database import open_database
from tests.support.caller import Caller
from tests.support.events import append_many, following, take
from tests.support.stack import Stack

OLDEST = "evt_" + "0" * 26
STUCK = 40
"""Readers: more than fit into the edge's window on a connection to the node, were it not made for them."""
EVENTS = 2500
LARGE = {"text": "x" * 4_000}


async def test_stuck_readers_change_nothing_for_the_rest(stack: Stack) -> None:
    session = stack.rest.post("/sessions", json={"label": "beside"}).json()
    embedded = f"sqlite:///{Path(stack.data_dir) / 'wagate.db'}"
    database = open_database(stack.environment.get("WAGATE_DATABASE_URL") or embedded)
    try:
        ids = await append_many(database, EVENTS, organization=session["organizationId"], payload=LARGE)
    finally:
        await database.close()
    async with AsyncExitStack() as open_channels:
        readers = []
        for _ in range(STUCK + 1):
            # Each of its own, as from another machine.
            options = (("grpc.use_local_subchannel_pool", 1),)
            channel = grpc.aio.insecure_channel(stack.ready["grpc"], options=options)
            await open_channels.enter_async_context(channel)
            readers.append(Caller(channel, stack.ready["apiKey"]).subscribe(after=OLDEST, events=["tick"]))
            await following(readers[-1])
        # All but one of them take nothing more: what the node has for them fills every buffer on the way.
        assert [event.id for event in await take(readers[0], EVENTS)] == ids
        async with httpx.AsyncClient(
            base_url=stack.rest.base_url, headers=stack.rest.headers, timeout=10
        ) as rest:
            answers = await asyncio.gather(*(rest.get(f"/sessions/{session['id']}") for _ in range(20)))
        assert [answer.status_code for answer in answers] == [httpx.codes.OK] * 20
        assert [event.id for event in await take(readers[-1], EVENTS)] == ids
    stack.rest.delete(f"/sessions/{session['id']}")
