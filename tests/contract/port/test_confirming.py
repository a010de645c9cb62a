"""What is confirmed to WhatsApp, and what becomes of what is not."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest_asyncio

from server.whatsapp.incoming import Received, Repeated
from server.whatsapp.port import Connected
from tests.contract.port.following import Following
from tests.contract.port.world import World

SOON = 0.5
"""Seconds within which something happens on the wire."""

Opened = Callable[[], Awaitable[Following]]


@pytest_asyncio.fixture
async def opened(world: World, device: Path) -> Opened:
    """Opens the device's next client, which then is connected."""

    async def open_next() -> Following:
        following = Following(world.clients.open("next", device))
        following.identity = await following.client.connect()
        await following.wait_for(Connected)
        return following

    return open_next


async def test_what_was_confirmed_does_not_come_again(
    world: World, live: Following, opened: Opened, *, number: str, ada: str
) -> None:
    await world.person(ada)
    await world.write(ada, number, "first")
    await live.wait_for(Received)
    live.client.confirm()
    await live.client.stop()
    following = await opened()
    try:
        await world.write(ada, number, "second")
        await following.wait_for(Received)
        told = [event for event in following.events if isinstance(event, Received | Repeated)]
        assert [event.body for event in told if isinstance(event, Received)] == ["second"]
        assert len(told) == 1
    finally:
        await following.client.stop()


async def test_what_was_not_confirmed_is_told_again_until_it_is(
    world: World, live: Following, opened: Opened, *, number: str, ada: str
) -> None:
    await world.person(ada)
    message_id = await world.write(ada, number, "first")
    await live.wait_for(Received)
    await live.client.stop()
    for _ in range(2):
        following = await opened()
        await following.wait_for(Repeated)
        (repeated,) = (event for event in following.events if isinstance(event, Repeated))
        assert repeated.id == message_id
        await following.client.stop()
    following = await opened()
    await following.wait_for(Repeated)
    following.client.confirm()
    await following.client.stop()
    following = await opened()
    try:
        await world.write(ada, number, "second")
        await following.wait_for(Received)
        assert not [event for event in following.events if isinstance(event, Repeated)]
    finally:
        await following.client.stop()


async def test_what_was_lost_is_asked_for(
    world: World, live: Following, opened: Opened, *, device: Path, number: str, ada: str
) -> None:
    await world.person(ada)
    # given two messages that nobody has stored
    ids = [await world.write(ada, number, text) for text in ("first", "second")]
    await live.wait_for(Received, 2)
    await live.client.stop()
    following = await opened()
    await following.wait_for(Repeated, 2)
    lost = [event for event in following.events if isinstance(event, Repeated)]
    await following.client.stop()
    # when they are asked for
    await world.clients.ask_again(device, lost)
    following = await opened()
    # then each comes as a message that could not be decrypted, and then as what it is
    try:
        texts: dict[str, str] = {}
        count = 0
        while len(texts) < len(ids):
            count += 1
            await following.wait_for(Received, count)
            received = [event for event in following.events if isinstance(event, Received)]
            texts = {event.id: event.body for event in received if event.type == "text"}
        assert texts == dict(zip(ids, ("first", "second"), strict=True))
        assert {event.id for event in received if event.type == "undecryptable"} == set(ids)
        following.client.confirm()
    finally:
        await following.client.stop()


async def test_a_confirmed_placeholder_does_not_confirm_what_is_sent_in_its_place(
    world: World, live: Following, opened: Opened, *, number: str, ada: str
) -> None:
    await world.person(ada)
    received: list[str] = []
    while received[-1:] != ["undecryptable"]:
        # given a message that cannot be decrypted
        await world.damage_next(number)
        message_id = await world.write(ada, number, "first")
        await live.wait_for(Received, len(received) + 1)
        received = [event.type for event in live.events if isinstance(event, Received)]
    # and what is sent in its place, which has arrived but was not taken: there is no sign of that
    await asyncio.sleep(SOON)
    # when the first is confirmed
    live.client.confirm()
    await asyncio.sleep(SOON)  # nor of a confirmation that must not go out
    await live.client.stop()
    # then the second is told again
    following = await opened()
    await following.wait_for(Repeated)
    (repeated,) = (event for event in following.events if isinstance(event, Repeated))
    assert repeated.id == message_id
    following.client.confirm()
    await following.client.stop()
