"""What a client does beside sending: joining groups, changing and marking chats."""

import asyncio
import time

import pytest

from server.whatsapp.content import Text
from server.whatsapp.incoming import Received
from server.whatsapp.port import (
    ChatChange,
    ChatState,
    LastMessage,
    OutcomeUnknownError,
    RefusedError,
    Stalled,
)
from server.whatsapp.refusals import Refusal
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.world import World
from tests.support.waiting import until_async

INVITE = "Ab3dEf6hIj9kLm2nOp5qRs"


@pytest.mark.parametrize("state", ChatState)
async def test_a_chat_state_is_seen(world: World, live: Following, ada: str, state: ChatState) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("so that we know each other"), within=20)
    await live.client.show_chat_state(person, state)

    async def seen() -> bool:
        return bool(await world.shown(ada))

    await until_async(seen, "the person sees the chat state", within=DEADLINE)
    assert await world.shown(ada) == [(live.lid, str(state))]


async def test_who_wrote_is_told_that_it_was_read(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    await world.person(ada)
    ids = [await world.write(ada, number, text) for text in ("one", "two", "three")]
    await live.wait_for(Received, 3)
    (received, *_) = (event for event in live.events if isinstance(event, Received))
    await live.client.mark_read(received.chat, received.sender, ids[:2], int(time.time() * 1000))

    async def told() -> bool:
        return len(await world.read(ada)) >= 2

    await until_async(told, "the person is told", within=DEADLINE)
    assert await world.read(ada) == [(live.lid, ids[0]), (live.lid, ids[1])]


async def test_chats_cannot_be_changed_on_whatsapp(world: World, live: Following, ada: str) -> None:
    chat = await world.person(ada)
    last = LastMessage("3EB0AAAA", chat, from_me=False, timestamp=1_700_000_000_000)
    with pytest.raises(RefusedError) as caught:
        await live.client.change_chat(chat, ChatChange(archived=True), last, within=5)
    assert caught.value.refusal is Refusal.UNSUPPORTED


async def test_joining_into_silence_ends_in_time_and_holds_up_no_send(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("before"), within=20)
    await world.silence(number)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknownError):
        await live.client.join_group(INVITE, within=0.3)
    assert 0.2 < time.monotonic() - began < 10
    assert Stalled() not in live.events
    await world.heal()
    await live.client.send(person, Text("after"), within=20)
    await until_heard(world, ada, ["before", "after"])


async def until_heard(world: World, person: str, texts: list[str]) -> None:
    async def heard() -> bool:
        return [text for _, text in await world.heard(person)] == texts

    await until_async(heard, f"{person} has heard {texts}", within=DEADLINE)


async def test_calls_that_wait_for_whatsapp_are_bounded(world: World, live: Following, number: str) -> None:
    await world.silence(number)
    joins = (live.client.join_group(INVITE, within=0.5) for _ in range(5))
    outcomes = await asyncio.gather(*joins, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:4]] == [OutcomeUnknownError] * 4
    assert isinstance(outcomes[4], RefusedError)
    assert outcomes[4].refusal is Refusal.BUSY
    # and stopping does not wait for them
    async with asyncio.timeout(DEADLINE):
        await live.client.stop()


async def test_a_stopped_client_does_nothing(world: World, live: Following, ada: str) -> None:
    chat = await world.person(ada)
    await live.client.stop()
    calls = (
        live.client.join_group(INVITE, within=5),
        live.client.show_chat_state(chat, ChatState.COMPOSING),
        live.client.mark_read(chat, chat, ["3EB0AAAA"], 1_700_000_000_000),
    )
    for call in calls:
        with pytest.raises(RefusedError) as caught:
            await call
        assert caught.value.refusal is Refusal.NOT_CONNECTED
