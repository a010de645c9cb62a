"""Calls of the client: the key, the deadline, what is made again and what is not."""

import asyncio
import time

import grpc
import pytest
from wagate.client import (
    ConflictError,
    Gateway,
    GatewayError,
    NotFoundError,
    TimedOutError,
    UnavailableError,
    UnreachableError,
    connect,
)
from wagate.client.calling import LONGEST_PAUSE, pause_before
from wagate.v1 import messages_pb2, sessions_pb2

from server.errors import Code, WagateError
from tests.client.scripted import scripted
from tests.support.stack import free_port

SENT = messages_pb2.SendResult(wa_message_id="3EB0")
AWAY = WagateError(Code.UNAVAILABLE, "the gateway's database does not answer; nothing was done")
BROKEN = grpc.StatusCode.UNAVAILABLE
"""What a proxy says whose node died under a call."""
READ = sessions_pb2.GetSessionRequest(session="01JD7M2VN5QK8W4Z3X6Y9ABCDE")
SESSION = sessions_pb2.Session(id=READ.session)
UNDER_WAY = WagateError(Code.CONFLICT, "under way", {"outcome": "under_way"}, retry_after=0)


async def test_every_call_carries_the_key_and_a_deadline() -> None:
    async with scripted(SESSION) as script, connect(script.address, "wa_key\n", timeout=7) as gateway:
        assert await gateway.sessions.GetSession(READ) == SESSION
        await gateway.sessions.GetSession(READ, timeout=3, metadata=(("x-trace", "1"),))
    first, second = script.asked
    assert first.metadata["authorization"] == "Bearer wa_key"
    assert 4 < first.remaining < 8
    assert second.remaining < 4
    assert (second.metadata["authorization"], second.metadata["x-trace"]) == ("Bearer wa_key", "1")
    assert "idempotency-key" not in first.metadata


@pytest.mark.parametrize("failure", [AWAY, BROKEN])
async def test_a_send_is_made_again_under_the_same_key(failure: WagateError | grpc.StatusCode) -> None:
    async with scripted(failure, failure, SENT) as script, connect(script.address, "wa_key") as gateway:
        result = await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello")
    assert result == SENT
    keys = [asked.metadata["idempotency-key"] for asked in script.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len(keys[0]) == 36


async def test_two_sends_have_two_keys_and_a_given_one_is_kept() -> None:
    async with scripted(BROKEN, SENT) as script, connect(script.address, "wa_key") as gateway:
        await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello", idempotency_key="order 7")
        await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello")
        await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello")
    keys = [asked.metadata["idempotency-key"] for asked in script.asked]
    assert keys[:2] == ["order 7", "order 7"]
    assert len(set(keys[2:])) == 2


async def test_a_send_waits_for_its_own_first_attempt() -> None:
    """The connection broke, the gateway did not: it is still sending."""
    async with scripted(BROKEN, UNDER_WAY, SENT) as script, connect(script.address, "wa_key") as gateway:
        assert await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello") == SENT


async def test_a_send_waits_for_a_session_that_comes_back() -> None:
    starting = WagateError(Code.CONFLICT, "the session is starting", {"status": "starting"})
    async with scripted(starting, SENT) as script, connect(script.address, "wa_key") as gateway:
        assert await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello") == SENT


async def test_what_only_reads_is_made_again() -> None:
    async with scripted(BROKEN, SESSION) as script, connect(script.address, "wa_key") as gateway:
        assert await gateway.sessions.GetSession(READ) == SESSION
    assert len(script.asked) == 2


async def test_a_change_is_not_made_again_when_nobody_knows() -> None:
    async with scripted(BROKEN, SESSION) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(UnreachableError) as caught:
            await gateway.sessions.CreateSession(sessions_pb2.CreateSessionRequest(label="one"))
    assert len(script.asked) == 1
    assert caught.value.outcome == "indeterminate"


async def test_a_change_is_made_again_when_nothing_was_done() -> None:
    async with scripted(AWAY, SESSION) as script, connect(script.address, "wa_key") as gateway:
        assert await gateway.sessions.CreateSession(sessions_pb2.CreateSessionRequest(label="one")) == SESSION
    assert len(script.asked) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        WagateError(Code.NOT_FOUND, "session not found"),
        WagateError(Code.RATE_LIMITED, "too fast", retry_after=1),
        WagateError(Code.WHATSAPP_ERROR, "refused", {"reason": "not_on_whatsapp"}),
        WagateError(Code.TIMEOUT, "no answer", {"outcome": "indeterminate"}),
        WagateError(Code.CONFLICT, "nobody knows", {"outcome": "indeterminate"}),
        WagateError(Code.CONFLICT, "somebody has to scan", {"status": "scan_qr_code"}),
        WagateError(Code.INTERNAL, "a defect"),
    ],
)
async def test_an_answer_is_an_answer(refusal: WagateError) -> None:
    async with scripted(refusal, SENT) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(GatewayError) as caught:
            await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello")
    assert len(script.asked) == 1
    assert (caught.value.code, caught.value.message) == (refusal.code, refusal.message)
    assert caught.value.retry_after == refusal.retry_after


async def test_it_gives_up_in_time_and_says_why() -> None:
    async with scripted(AWAY) as script, connect(script.address, "wa_key", timeout=0.5) as gateway:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="database"):
            await gateway.sessions.GetSession(READ)
    assert time.monotonic() - began < 5
    assert len(script.asked) > 1


async def test_it_does_not_wait_for_what_comes_too_late() -> None:
    """The gateway says when to come back, and that is behind the deadline."""
    late = WagateError(Code.UNAVAILABLE, "come back", retry_after=3600)
    async with scripted(late) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(UnavailableError) as caught:
            await gateway.sessions.GetSession(READ)
    assert caught.value.retry_after == 3600
    assert len(script.asked) == 1


async def test_no_answer_ends_with_the_deadline() -> None:
    async with scripted(None) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(TimedOutError) as caught:
            await gateway.sessions.CreateSession(sessions_pb2.CreateSessionRequest(), timeout=0.3)
    assert caught.value.outcome == "indeterminate"


async def test_nobody_there_is_said_with_the_address() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with connect(f"http://{address}", "wa_key", timeout=0.5) as gateway:
        with pytest.raises(UnreachableError, match=address):
            await gateway.sessions.GetSession(READ)


@pytest.mark.parametrize("failure", [AWAY, BROKEN])
async def test_without_retries_every_call_is_made_once(failure: WagateError | grpc.StatusCode) -> None:
    async with (
        scripted(failure, SENT) as script,
        connect(script.address, "wa_key", retries=False) as gateway,
    ):
        with pytest.raises((UnavailableError, UnreachableError)):
            await gateway.send_text(READ.session, "1@s.whatsapp.net", "Hello")
    (asked,) = script.asked
    assert "idempotency-key" not in asked.metadata  # nothing repeats under it


async def test_a_gateway_that_restarts_is_found_again() -> None:
    port = free_port()

    async def ask(gateway: Gateway) -> sessions_pb2.Session:
        return await gateway.sessions.GetSession(READ)

    async with connect(f"127.0.0.1:{port}", "wa_key") as gateway:
        async with scripted(SESSION, port=port):
            assert await ask(gateway) == SESSION
        asking = asyncio.create_task(ask(gateway))
        async with scripted(SESSION, port=port):
            assert await asking == SESSION


async def test_a_call_can_be_cancelled() -> None:
    async with scripted(None) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await gateway.sessions.GetSession(READ)
        assert len(script.asked) == 1
        script.answers[:] = [SESSION]
        assert await gateway.sessions.GetSession(READ) == SESSION


async def test_what_the_contract_does_not_say_is_an_error_all_the_same() -> None:
    async with scripted(grpc.StatusCode.NOT_FOUND, SENT) as script, connect(script.address, "k") as gateway:
        with pytest.raises(NotFoundError, match="NOT_FOUND: upstream connect error"):
            await gateway.sessions.GetSession(READ)


async def test_a_conflict_that_is_no_send_is_told_at_once() -> None:
    busy = WagateError(Code.CONFLICT, "running already", {"status": "starting"})
    async with scripted(busy) as script, connect(script.address, "wa_key") as gateway:
        with pytest.raises(ConflictError) as caught:
            await gateway.sessions.CreateSession(sessions_pb2.CreateSessionRequest())
    assert caught.value.details == {"status": "starting"}
    assert caught.value.outcome == ""


def test_pauses_grow_and_end_somewhere() -> None:
    assert 0 < pause_before(1) <= 0.1
    assert all(LONGEST_PAUSE / 2 <= pause_before(attempt) <= LONGEST_PAUSE for attempt in (8, 100, 10_000))
