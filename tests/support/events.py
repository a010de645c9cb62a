"""Events of tests: appended as the gateway does, and read as a client does."""

import asyncio
from collections.abc import Mapping

import grpc
from wagate.v1 import events_pb2

from server.events.subscription import HEARTBEAT
from server.store.database import Database
from server.store.event_log import EventLog
from server.store.events import BEFORE_ALL
from server.store.outcomes import Outcome, OutcomeRepository
from server.store.records import NewEvent

DEADLINE = 20.0
"""Seconds for an event to come."""

Stream = grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, events_pb2.Event]


async def append(
    database: Database,
    *names: str,
    organization: str = "org",
    session: str | None = None,
    payload: Mapping[str, object] | None = None,
) -> list[str]:
    """Appends events, one commit each; returns their ids."""
    outcomes, log = OutcomeRepository(database), EventLog(database)
    ids = []
    for name in names:
        await outcomes.record(Outcome(event=NewEvent(organization, session, name, 1, payload or {})))
        ids.append((await log.page(organization, after=BEFORE_ALL, limit=0)).last_id)
    return ids


async def append_many(
    database: Database, count: int, *, organization: str = "org", payload: Mapping[str, object] | None = None
) -> list[str]:
    """Appends events of the name `tick`, many in a commit; returns their ids."""
    outcomes, log = OutcomeRepository(database), EventLog(database)
    before = (await log.page(organization, after=BEFORE_ALL, limit=0)).last_id
    event = NewEvent(organization, None, "tick", 1, payload or {})
    await asyncio.gather(*(outcomes.record(Outcome(event=event)) for _ in range(count)))
    return [event.id for event in (await log.page(organization, after=before, limit=count)).events]


async def following(stream: Stream) -> events_pb2.Event:
    """The first event of a stream, once it has come: from now on it follows."""
    first = await anything(stream)
    assert first.event == HEARTBEAT
    return first


async def anything(stream: Stream) -> events_pb2.Event:
    """The next event, whatever it is.

    Raises:
        grpc.aio.AioRpcError: the stream has ended.
    """
    async with asyncio.timeout(DEADLINE):
        event = await stream.read()
    assert isinstance(event, events_pb2.Event), "the stream has ended without a word"
    return event


async def take(stream: Stream, count: int) -> list[events_pb2.Event]:
    """The next so many events that are no heartbeats."""
    taken: list[events_pb2.Event] = []
    while len(taken) < count:
        event = await anything(stream)
        if event.event != HEARTBEAT:
            taken.append(event)
    return taken


async def end_of(stream: Stream) -> grpc.aio.AioRpcError:
    """How a stream ends, after whatever is still under way."""
    try:
        while True:
            await anything(stream)
    except grpc.aio.AioRpcError as error:
        return error
