"""Following events with the client: what is given out, and how it comes back."""

import asyncio
from collections.abc import Iterator, Sequence

import grpc
import pytest
from wagate.client import OLDEST, GatewayError, NotFoundError, UnauthorizedError, UnreachableError, connect
from wagate.client.following import Following
from wagate.v1 import events_pb2, events_pb2_grpc

from server.errors import Code, WagateError
from tests.client.scripted import Answer, Script, event, scripted
from tests.support.stack import free_port

BROKEN = grpc.StatusCode.UNAVAILABLE
BEAT = event(0, "heartbeat")
DEADLINE = 20
Streams = list[Sequence[Answer]]


class Endless(list[Answer]):
    """A heartbeat, and then the same event without end.

    Attributes:
        written: how often the gateway could write it.
    """

    def __init__(self, told: events_pb2.Event) -> None:
        super().__init__()
        self._told = told
        self.written = 0

    def __iter__(self) -> Iterator[Answer]:
        yield BEAT
        while True:
            self.written += 1
            yield self._told


def afters(script: Script) -> list[str]:
    """Where each stream was asked to begin."""
    return [events_pb2.SubscribeRequest.FromString(asked.request).after for asked in script.asked]


async def take(following: Following, count: int) -> list[str]:
    """The ids of the next events."""
    async with asyncio.timeout(DEADLINE):
        return [(await anext(following)).id for _ in range(count)]


async def test_heartbeats_are_kept_and_not_given_out() -> None:
    stream: list[Answer] = [event(4, "heartbeat"), event(5), event(9, "heartbeat"), event(12), None]
    async with (
        scripted(streams=[stream]) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow(after=event(4).id, events=["message"], sessions=["01J"]) as events,
    ):
        assert events.position == event(4).id
        assert await take(events, 1) == [event(5).id]
        assert events.position == event(5).id
        assert await take(events, 1) == [event(12).id]
    request = events_pb2.SubscribeRequest.FromString(script.asked[0].request)
    assert (request.after, list(request.events), list(request.sessions)) == (
        event(4).id,
        ["message"],
        ["01J"],
    )
    assert script.asked[0].metadata["authorization"] == "Bearer wa_key"


@pytest.mark.parametrize(
    "end",
    [
        [BROKEN],
        [grpc.StatusCode.INTERNAL],  # RST_STREAM: the node died
        [WagateError(Code.UNAVAILABLE, "the node stops")],
        [WagateError(Code.INTERNAL, "a defect")],
        [],  # without a word
    ],
)
async def test_it_comes_back_behind_the_last_event(end: list[WagateError | grpc.StatusCode]) -> None:
    streams: Streams = [[BEAT, event(1), event(2), *end], [event(2, "heartbeat"), event(3), None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow(after=OLDEST) as events,
    ):
        assert await take(events, 3) == [event(1).id, event(2).id, event(3).id]
    assert afters(script) == [OLDEST, event(2).id]


async def test_it_comes_back_behind_a_heartbeat() -> None:
    """Nothing of interest has happened: what does while it is away is not lost."""
    streams: Streams = [[event(7, "heartbeat"), BROKEN], [event(7, "heartbeat"), event(8), None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow() as events,
    ):
        assert await take(events, 1) == [event(8).id]
    assert afters(script) == ["", event(7).id]


async def test_a_gap_is_given_out() -> None:
    streams: Streams = [[BEAT, event(3, "gap"), event(4), None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow(after=OLDEST, events=["message"]) as events,
        asyncio.timeout(DEADLINE),
    ):
        assert (await anext(events)).event == "gap"


async def test_a_silent_stream_is_given_up() -> None:
    streams: Streams = [[BEAT, event(1), None], [event(1, "heartbeat"), event(2), None]]
    async with scripted(streams=streams) as script, grpc.aio.insecure_channel(script.address) as channel:
        stub = events_pb2_grpc.EventsStub(channel)
        request = events_pb2.SubscribeRequest()
        events = Following(stub.Subscribe, request, script.address, silence=0.3)
        assert await take(events, 2) == [event(1).id, event(2).id]
        events.close()
    assert afters(script) == ["", event(1).id]


async def test_a_read_that_is_cancelled_loses_nothing() -> None:
    streams: Streams = [[BEAT, event(1), None], [event(1, "heartbeat"), event(2), None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow() as events,
    ):
        assert await take(events, 1) == [event(1).id]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.2)
        assert await take(events, 1) == [event(2).id]
    assert afters(script) == ["", event(1).id]


async def test_what_cannot_be_followed_is_said_at_once() -> None:
    refusal = WagateError(Code.NOT_FOUND, "session not found")
    async with scripted(streams=[[refusal]]) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(NotFoundError, match="session not found"):
            async with gateway.follow(sessions=["01J"]):
                pass
    assert len(script.asked) == 1


async def test_a_revoked_key_ends_it() -> None:
    streams: Streams = [[BEAT, event(1), WagateError(Code.UNAUTHORIZED, "the key was revoked")]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow() as events,
    ):
        assert await take(events, 1) == [event(1).id]
        with pytest.raises(UnauthorizedError):
            await take(events, 1)


async def test_nobody_there_is_said_in_time() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with connect(address, "wa_key", timeout=0.5) as gateway:
        with pytest.raises(UnreachableError, match=address):
            async with gateway.follow():
                pass


async def test_without_retries_it_begins_at_once_or_not_at_all() -> None:
    streams: Streams = [[BROKEN], [BEAT, None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key", retries=False) as gateway,
    ):
        with pytest.raises(UnreachableError):
            async with gateway.follow():
                pass
    assert len(script.asked) == 1


async def test_an_interruption_is_told_once_and_events_come_back(caplog: pytest.LogCaptureFixture) -> None:
    told: list[GatewayError] = []
    streams: Streams = [[BEAT, event(1), BROKEN], [BROKEN], [BROKEN], [event(1, "heartbeat"), event(2), None]]
    async with (
        scripted(streams=streams) as script,
        connect(script.address, "wa_key", retries=False) as gateway,
        gateway.follow(interrupted=told.append) as events,
    ):
        assert await take(events, 2) == [event(1).id, event(2).id]
    assert afters(script) == ["", event(1).id, event(1).id, event(1).id]
    assert [type(error) for error in told] == [UnreachableError]
    assert not caplog.records  # whoever is told shows it: the log would say it again


async def test_a_reader_that_does_not_read_holds_the_stream_back() -> None:
    """What it has not asked for waits at the gateway, not in this process."""
    big = event(1)
    big.payload["body"] = "x" * 60_000
    stream = Endless(big)
    async with (
        scripted(streams=[stream]) as script,
        connect(script.address, "wa_key") as gateway,
        gateway.follow() as events,
    ):
        await take(events, 1)
        before = -1
        while before != stream.written:
            before = stream.written
            await asyncio.sleep(0.3)  # the stream stands still once nothing more is written in this time
        assert stream.written * 60_000 < 16 * 1024 * 1024
        await take(events, stream.written + 10)
        assert stream.written > before


async def test_leaving_the_block_ends_the_stream() -> None:
    async with scripted(streams=[[BEAT, None]]) as script, connect(script.address, "wa_key") as gateway:
        async with gateway.follow():
            assert not script.left.is_set()
        async with asyncio.timeout(DEADLINE):
            await script.left.wait()
