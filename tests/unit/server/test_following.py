"""Following the event log: where a stream begins, what it leaves out, what it tells of what is lost."""

import asyncio
from contextlib import aclosing

import grpc
import pytest

from server.auth.principal import Capability
from server.clock import now_ms
from server.events.reading import PAGE
from server.events.service import Events
from server.events.subscription import GAP, HEARTBEAT
from server.store.event_log import EventLog
from server.store.events import BEFORE_ALL
from tests.support.events import anything, append, append_many, following, take
from tests.support.memory_node import MemoryNode
from tests.unit.server.office import NOBODY, Office, refused


async def test_a_stream_begins_with_now_and_tells_what_happens(office: Office) -> None:
    await append(office.node.database, "before")
    session = await office.node.create()
    stream = office.owner.subscribe()
    first = await following(stream)
    before = now_ms()
    (event_id,) = await append(
        office.node.database, "message", session=session.id, payload={"a": {"b": [1, "é", None, True]}}
    )
    event = await anything(stream)
    assert (event.schema, event.id, event.event) == ("v1", event_id, "message")
    assert (event.session, event.organization, event.timestamp) == (session.id, "org", 1)
    assert dict(event.payload)["a"] == {"b": [1, "é", None, True]}
    assert before - 60_000 < first.timestamp <= now_ms()


async def test_an_event_of_no_session_names_none(office: Office) -> None:
    stream = office.owner.subscribe()
    await following(stream)
    await append(office.node.database, "auth.qr")
    assert not (await anything(stream)).HasField("session")


async def test_a_reader_comes_back_after_the_last_id_and_misses_nothing(office: Office) -> None:
    ids = await append(office.node.database, *"abcdef")
    stream = office.owner.subscribe(after=ids[1])
    assert (await following(stream)).id == ids[1]
    assert [e.id for e in await take(stream, 2)] == ids[2:4]
    stream.cancel()
    again = office.owner.subscribe(after=ids[3])
    assert [e.id for e in await take(again, 2)] == ids[4:]
    ids += await append(office.node.database, "g")
    assert (await anything(again)).id == ids[-1]


async def test_who_was_only_told_where_the_stream_begins_can_come_back_too(office: Office) -> None:
    await append(office.node.database, "before")
    stream = office.owner.subscribe()
    begins = (await following(stream)).id
    stream.cancel()
    ids = await append(office.node.database, "meanwhile")
    again = office.owner.subscribe(after=begins)
    assert [e.id for e in await take(again, 1)] == ids


async def test_a_stream_may_begin_with_the_oldest_that_is_kept(office: Office) -> None:
    ids = await append(office.node.database, "a", "b", "c")
    assert [e.id for e in await take(office.owner.subscribe(after=BEFORE_ALL), 3)] == ids
    await EventLog(office.node.database).forget("org", until=ids[0], limit=10)
    stream = office.owner.subscribe(after=BEFORE_ALL)
    assert [e.id for e in await take(stream, 2)] == ids[1:]


async def test_an_organization_sees_its_own_events_alone(office: Office) -> None:
    stream = office.stranger.subscribe(after=BEFORE_ALL)
    assert (await following(stream)).id == BEFORE_ALL
    await append(office.node.database, "ours")
    principal = await office.node.keys.find(office.stranger.token)
    assert principal is not None
    (theirs,) = await append(office.node.database, "theirs", organization=principal.organization_id)
    assert (await anything(stream)).id == theirs


async def test_filters_leave_out_by_session_and_by_name(office: Office) -> None:
    database = office.node.database
    one, two = await office.node.create(), await office.node.create()
    for session in (one.id, two.id, None):
        await append(database, "message", "presence", "message.status", session=session)
    names = ["message", "message.status"]
    stream = office.owner.subscribe(after=BEFORE_ALL, sessions=[one.id], events=names)
    await append(database, "presence", "message", session=one.id)
    assert [(e.session, e.event) for e in await take(stream, 3)] == [
        (one.id, "message"),
        (one.id, "message.status"),
        (one.id, "message"),
    ]
    either = office.owner.subscribe(after=BEFORE_ALL, sessions=[one.id, two.id], events=["presence"])
    assert [e.session for e in await take(either, 3)] == [one.id, two.id, one.id]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"after": "evt_"}, "after"),
        ({"after": "x" * 30}, "after"),
        ({"after": "evt_" + "0" * 25 + "i"}, "after"),
        ({"after": "evt_" + "Z" * 26}, "after"),
        ({"after": "evt_" + "0" * 26 + "\n"}, "after"),
        ({"after": "evt_7" + "Z" * 25}, "after"),
        ({"events": ["*"]}, "events"),
        ({"events": [""]}, "events"),
        ({"events": ["a"] * 101}, "events"),
        ({"sessions": [NOBODY] * 101}, "sessions"),
    ],
)
async def test_what_is_no_cursor_and_no_filter_is_refused(
    office: Office, fields: dict[str, object], field: str
) -> None:
    await append(office.node.database, "a")
    code, info, _ = await refused(office.owner.subscribe(**fields).read())
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "validation_error")
    assert set(info.metadata) == {field}


async def test_another_organizations_session_is_none(office: Office) -> None:
    mine = await office.node.create()
    for caller, session in ((office.stranger, mine.id), (office.owner, NOBODY), (office.owner, "")):
        code, info, _ = await refused(caller.subscribe(sessions=[session]).read())
        assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "not_found")


async def test_token_and_capability_come_first(office: Office) -> None:
    code, info, _ = await refused(office.with_token("").subscribe(after="no").read())
    assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "unauthorized")
    without = await office.with_only(Capability.SEND, Capability.MANAGE)
    code, info, _ = await refused(without.subscribe(after="no").read())
    assert (code, info.reason, dict(info.metadata)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "forbidden",
        {"required": "read"},
    )


async def test_a_cursor_that_fell_out_of_retention_is_told(office: Office) -> None:
    ids = await append(office.node.database, "a", "b", "c", "d")
    log = EventLog(office.node.database)
    await log.forget("org", until=ids[2], limit=10)
    stream = office.owner.subscribe(after=ids[0], events=["d"])
    gap, event = await take(stream, 2)
    assert (gap.event, gap.id, dict(gap.payload)) == (GAP, ids[2], {"after": ids[0], "until": ids[2]})
    assert not gap.HasField("session")
    assert event.id == ids[3]
    # where nothing is left, it is told as well
    await log.forget("org", until=ids[3], limit=10)
    (gap,) = await take(office.owner.subscribe(after=ids[1]), 1)
    assert (gap.event, gap.id) == (GAP, ids[3])
    # and who comes back after what was told is behind it
    again = office.owner.subscribe(after=gap.id)
    await following(again)
    new = await append(office.node.database, "new")
    assert [e.id for e in await take(again, 1)] == new


async def test_a_reader_that_is_overtaken_by_retention_is_told(node: MemoryNode) -> None:
    ids = await append_many(node.database, PAGE + 50)
    subscription = await node.gateway.events.subscribe(
        node.principal, after=BEFORE_ALL, sessions=(), names=()
    )
    async with aclosing(subscription.events()) as events:
        assert (await anext(events)).name == HEARTBEAT
        assert (await anext(events)).id == ids[0]
        await EventLog(node.database).forget("org", until=ids[PAGE + 20], limit=1000)
        # what was read already is not lost
        assert [(await anext(events)).id for _ in range(PAGE - 1)] == ids[1:PAGE]
        gap = await anext(events)
        assert (gap.name, gap.payload) == (GAP, {"after": ids[PAGE - 1], "until": ids[PAGE + 20]})
        assert [(await anext(events)).id for _ in range(29)] == ids[PAGE + 21 :]


async def test_silence_is_filled_with_heartbeats_that_tell_how_far_it_came(node: MemoryNode) -> None:
    events = Events(EventLog(node.database), node.sessions, heartbeat=0.01)
    subscription = await events.subscribe(node.principal, after="", sessions=(), names=["message"])
    async with aclosing(subscription.events()) as stream:
        assert [(await anext(stream)).id for _ in range(3)] == [BEFORE_ALL] * 3
        ids = await append(node.database, "presence", "presence")
        async with asyncio.timeout(10):
            while (beat := await anext(stream)).id != ids[-1]:
                assert beat.id in {BEFORE_ALL, *ids}
        assert beat.name == HEARTBEAT


async def test_a_log_that_filters_leave_out_completely_is_passed_with_heartbeats(node: MemoryNode) -> None:
    ids = await append_many(node.database, 3 * PAGE)
    (wanted,) = await append(node.database, "message")
    events = Events(EventLog(node.database), node.sessions, heartbeat=0.0001)
    subscription = await events.subscribe(node.principal, after=BEFORE_ALL, sessions=(), names=["message"])
    async with aclosing(subscription.events()) as stream:
        beats = []
        while (event := await anext(stream)).name == HEARTBEAT:
            beats.append(event.id)
        assert event.id == wanted
        assert beats == sorted(beats)
        assert set(beats[1:]) <= {ids[PAGE - 1], ids[2 * PAGE - 1], ids[-1], wanted}
        assert len(beats) > 1


async def test_nothing_stays_behind_when_readers_leave(node: MemoryNode) -> None:
    events = Events(EventLog(node.database), node.sessions)
    for _ in range(3):
        subscription = await events.subscribe(node.principal, after="", sessions=(), names=())
        async with aclosing(subscription.events()) as stream:
            await anext(stream)
            assert list(events.followed) == ["org"]
    assert not list(events.followed)
