"""Server-sent events as the node gives them to Envoy: the frames, and how a stream ends."""

import asyncio
import json
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from wagate.v1 import events_pb2

from server.auth.principal import Capability
from server.events.envelope import envelope
from server.rpc import sse
from server.store.event_log import EventLog, StoredEvent
from server.store.events import BEFORE_ALL
from tests.support.caller import Caller
from tests.support.events import DEADLINE, append, append_many
from tests.support.sse import Frame, frames_of
from tests.support.waiting import until
from tests.unit.server.office import Office
from tests.unit.server.test_streams import LARGE, impatient

Stream = grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, HttpBody]


async def part(stream: Stream) -> HttpBody:
    """The next part of the body."""
    async with asyncio.timeout(DEADLINE):
        read = await stream.read()
    assert isinstance(read, HttpBody), "the stream has ended"
    return read


async def begun(stream: Stream) -> Frame:
    """The opening heartbeat, once it has come."""
    first = await part(stream)
    assert first.content_type == "text/event-stream"
    retry, heartbeat = frames_of(first.data)
    assert (retry, heartbeat.event) == (Frame(retry=3000), "heartbeat")
    return heartbeat


async def rest_of(stream: Stream) -> list[Frame]:
    """Everything until the end, which must be a good one: Envoy would cut the connection off otherwise."""
    body = b""
    async with asyncio.timeout(DEADLINE):
        while isinstance(read := await stream.read(), HttpBody):
            body += read.data
        assert await stream.code() is grpc.StatusCode.OK
    return frames_of(body)


async def status_of(stream: Stream) -> tuple[int, Any]:
    """The status and the error of a stream that was refused."""
    answer = await part(stream)
    assert answer.content_type == "application/json"
    assert await rest_of(stream) == []
    headers = dict(await stream.initial_metadata())
    return int(str(headers["x-http-status"])), json.loads(answer.data)["error"]


async def test_the_first_part_opens_it_with_its_headers(office: Office) -> None:
    stream = office.owner.listen()
    heartbeat = await begun(stream)
    headers = dict(await stream.initial_metadata())
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert "x-http-status" not in headers
    assert heartbeat.json == {
        "schema": "v1",
        "id": BEFORE_ALL,
        "event": "heartbeat",
        "session": None,
        "organization": "org",
        "timestamp": heartbeat.json["timestamp"],
        "payload": {},
    }


async def test_a_frame_is_the_envelope_in_exact_json(office: Office) -> None:
    payload = {"big": 2**53 + 1, "none": None, "text": "a\nb\r\u2028\x00 😀", "list": [1.5, True, {"x": []}]}
    (event_id,) = await append(office.node.database, "message.status", session="S", payload=payload)
    stream = office.owner.listen(after=BEFORE_ALL)
    await begun(stream)
    (frame,) = frames_of((await part(stream)).data)
    assert (frame.id, frame.event) == (event_id, "message.status")
    assert frame.json == {
        "schema": "v1",
        "id": event_id,
        "event": "message.status",
        "session": "S",
        "organization": "org",
        "timestamp": 1,
        "payload": payload,
    }


async def test_what_was_lost_is_told(office: Office) -> None:
    ids = await append(office.node.database, "a", "b", "c")
    await EventLog(office.node.database).forget("org", until=ids[1], limit=10)
    stream = office.owner.listen(after=ids[0])
    await begun(stream)
    gap, event = frames_of((await part(stream)).data)
    assert (gap.event, gap.id) == ("gap", ids[1])
    assert gap.json["payload"] == {"after": ids[0], "until": ids[1]}
    assert event.id == ids[2]


async def test_where_a_browser_was_goes_before_where_it_began(office: Office) -> None:
    ids = await append(office.node.database, "a", "b", "c")
    stream = office.owner.listen((("last-event-id", ids[1]),), after=BEFORE_ALL)
    await begun(stream)
    assert [frame.id for frame in frames_of((await part(stream)).data)] == ids[2:]


async def test_a_page_comes_in_few_parts_and_large_events_in_more(office: Office) -> None:
    ids = await append_many(office.node.database, 100)
    stream = office.owner.listen(after=BEFORE_ALL)
    await begun(stream)
    assert [frame.id for frame in frames_of((await part(stream)).data)] == ids
    await append_many(office.node.database, 100, payload=LARGE)
    stream = office.owner.listen(after=ids[-1])
    await begun(stream)
    first = await part(stream)
    assert sse.CHUNK <= len(first.data) < sse.CHUNK + 5_000


async def test_an_event_is_encoded_once_for_all_who_read_it() -> None:
    event = StoredEvent("org", BEFORE_ALL, None, "tick", 1, {"a": 1})
    other = StoredEvent("org", BEFORE_ALL, None, "tick", 1, {"a": 1})
    assert envelope(event) is envelope(event)
    assert envelope(event) is not envelope(other)
    assert list(sse.chunks([event])) == list(sse.chunks([other]))
    assert len(event.forms) == 2


@pytest.mark.parametrize("is_reading", [True, False])
async def test_a_key_that_is_revoked_ends_the_stream_and_whoever_comes_back_is_refused(
    office: Office, is_reading: bool
) -> None:
    node = office.node
    async with impatient(office) as (_, channel):
        key, secret = await node.keys.create(organization="acme", permissions=[Capability.READ], label="")
        revoked = Caller(channel, secret)
        stream = revoked.listen()
        await begun(stream)
        if not is_reading:
            await append_many(node.database, 300, payload=LARGE)
        await node.keys.revoke(key.id)
        if is_reading:
            (farewell,) = await rest_of(stream)
            assert farewell == Frame(comments=[farewell.comments[0]])
            assert farewell.comments[0].startswith("unauthorized: ")
        else:
            await until(lambda: not list(node.gateway.events.followed), "the stream is not served any more")
            stream.cancel()
        code, error = await status_of(revoked.listen())
        assert (code, error["code"]) == (401, "unauthorized")


async def test_streams_end_with_the_node_so_that_browsers_come_back(office: Office) -> None:
    async with impatient(office) as (serving, channel):
        caller = Caller(channel, office.owner.token)
        streams = [caller.listen() for _ in range(5)]
        for stream in streams:
            await begun(stream)
        async with asyncio.timeout(5):
            await serving.stop()
        for stream in streams:
            (farewell,) = await rest_of(stream)
            assert farewell.comments[0].startswith("unavailable: the node stops")


async def test_a_ticket_opens_one_stream(office: Office) -> None:
    owner, nobody = office.owner, office.with_token("")
    made = await owner.rest("CreateRealtimeTicket", {"events": ["a", "b"]})
    ticket = made.json["ticket"]
    stream = nobody.listen(ticket=ticket, events=["b"])
    await begun(stream)
    ids = await append(office.node.database, "a", "b", "c")
    assert [frame.id for frame in frames_of((await part(stream)).data)] == [ids[1]]
    # a browser comes back by itself, to the same address: it is told to stop
    again = nobody.listen((("last-event-id", ids[1]),), ticket=ticket, events=["b"])
    code, error = await status_of(again)
    assert (code, error["code"]) == (401, "unauthorized")
    assert ticket not in error["message"]
    # the one that is open is none the worse for it
    await append(office.node.database, "b")
    await part(stream)


async def test_a_tickets_filters_can_only_be_narrowed(office: Office) -> None:
    made = await office.owner.rest("CreateRealtimeTicket", {"events": ["a", "b"]})
    code, error = await status_of(office.with_token("").listen(ticket=made.json["ticket"], events=["c"]))
    assert (code, set(error["details"])) == (400, {"events"})
    made = await office.owner.rest("CreateRealtimeTicket", {"events": ["a"]})
    stream = office.with_token("").listen(ticket=made.json["ticket"])
    await begun(stream)
    ids = await append(office.node.database, "b", "a")
    assert [frame.id for frame in frames_of((await part(stream)).data)] == ids[1:]


async def test_a_stream_of_a_ticket_ends_with_the_key_behind_it(office: Office) -> None:
    node = office.node
    async with impatient(office) as (_, channel):
        key, secret = await node.keys.create(organization="acme", permissions=[Capability.READ], label="")
        made = await Caller(channel, secret).rest("CreateRealtimeTicket", {})
        stream = Caller(channel, "").listen(ticket=made.json["ticket"])
        await begun(stream)
        await node.keys.revoke(key.id)
        (farewell,) = await rest_of(stream)
        assert farewell.comments[0].startswith("unauthorized: ")
