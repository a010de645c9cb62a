"""A client's life: connecting, staying, ending."""

import asyncio
from pathlib import Path

import pytest

from server.whatsapp.content import Text
from server.whatsapp.incoming import Received
from server.whatsapp.jid import Jid
from server.whatsapp.port import (
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
    NotPairedError,
    RefusedError,
)
from server.whatsapp.refusals import Refusal
from tests.contract.port.conftest import Follow
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.world import World
from tests.support.waiting import one_turn, until_async


async def test_connecting_tells_the_account_and_the_login_follows(
    follow: Follow, device: Path, number: str
) -> None:
    following = follow(device)
    identity = await following.client.connect()
    assert identity.jid == Jid(number, "s.whatsapp.net")
    assert identity.lid is None or identity.lid.is_lid
    await following.wait_for(Connected)
    assert following.events == [Connected()]
    assert await following.client.is_live()


async def test_an_empty_folder_is_not_connected(follow: Follow, tmp_path: Path) -> None:
    following = follow(tmp_path)
    with pytest.raises(NotPairedError):
        await following.client.connect()
    assert not await following.client.is_live()
    await following.client.stop()
    await following.take()
    assert following.ended


async def test_a_client_that_was_never_connected_can_be_stopped(follow: Follow, device: Path) -> None:
    following = follow(device)
    await following.client.stop()
    await following.take()
    assert following.ended


async def test_a_connection_that_is_refused_is_an_error(world: World, follow: Follow, device: Path) -> None:
    await world.refuse_connections()
    following = follow(device)
    with pytest.raises(ConnectError):
        await following.client.connect()
    await following.client.stop()
    # and the device is still good
    await world.heal()
    again = follow(device)
    await again.client.connect()
    await again.wait_for(Connected)


async def test_stopping_ends_the_events_and_everything_else(live: Following, world: World, ada: str) -> None:
    person = await world.person(ada)
    waiting = asyncio.create_task(live.client.events())
    await one_turn()
    await live.client.stop()
    async with asyncio.timeout(DEADLINE):
        assert not [event for event in await waiting if not isinstance(event, Disconnected)]
        while await live.client.events():
            pass
    assert not await live.client.is_live()
    with pytest.raises(RefusedError) as caught:
        await live.client.send(person, Text("hello"), within=5)
    assert caught.value.refusal is Refusal.NOT_CONNECTED


async def test_stopping_is_idempotent_also_at_the_same_time(live: Following) -> None:
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(live.client.stop() for _ in range(3)))
        await live.client.stop()


async def test_a_stopped_device_stays_linked(live: Following, follow: Follow, device: Path) -> None:
    for _ in range(3):
        await live.client.stop()
        live = follow(device)
        await live.client.connect()
        await live.wait_for(Connected)
    assert await live.client.is_live()


async def test_what_came_meanwhile_is_received_after_connecting(
    world: World, live: Following, follow: Follow, *, device: Path, number: str, ada: str
) -> None:
    await world.person(ada)
    await live.client.stop()
    for text in ("one", "two", "three"):
        await world.write(ada, number, text)
    again = follow(device)
    await again.client.connect()
    await again.wait_for(Received, 3)
    assert [e.body for e in again.events if isinstance(e, Received)] == ["one", "two", "three"]


async def test_a_connection_that_breaks_comes_back_by_itself(
    world: World, live: Following, number: str
) -> None:
    await world.cut(number)
    await live.wait_for(Connected, 2)
    assert [type(event) for event in live.events] == [Connected, Disconnected, Connected]
    assert await live.client.is_live()


def signs_of(following: Following) -> tuple[int | None, int | None, int | None]:
    """When something was acknowledged, received, kept alive."""
    signs = following.client.signs
    return signs.acked_at, signs.received_at, signs.kept_alive_at


async def test_a_probe_is_answered_and_a_sign_of_life(live: Following) -> None:
    assert signs_of(live) == (None, None, None)
    proved = live.client.signs.proved
    await live.client.probe(within=DEADLINE)
    acked, received, kept_alive = signs_of(live)
    assert (acked, received) == (None, None)
    assert kept_alive is not None
    assert live.client.signs.proved > proved


async def test_a_probe_into_silence_says_that_nothing_came(
    world: World, live: Following, number: str
) -> None:
    await world.silence(number)
    with pytest.raises(ConnectError):
        await live.client.probe(within=0.3)
    # One is under way at a time: the next one's turn does not come, and that is no answer either.
    with pytest.raises(ConnectError):
        await live.client.probe(within=0.1)
    assert signs_of(live) == (None, None, None)


async def test_a_stopped_client_answers_no_probe(live: Following) -> None:
    await live.client.stop()
    with pytest.raises(ConnectError):
        await live.client.probe(within=DEADLINE)


async def test_what_is_acknowledged_and_what_comes_in_are_signs_of_life(
    world: World, live: Following, number: str, ada: str
) -> None:
    person = await world.person(ada)
    proved = live.client.signs.proved
    await live.client.send(person, Text("hello"), within=DEADLINE)
    assert signs_of(live)[0] is not None
    assert live.client.signs.proved > proved
    await world.write(ada, number, "hello yourself")
    await live.wait_for(Received)
    assert signs_of(live)[1] is not None


async def test_an_unlinked_device_ends_and_cannot_connect_again(
    world: World, live: Following, follow: Follow, *, device: Path, number: str
) -> None:
    await world.unlink(number)
    await live.wait_for(Ended)
    assert Ended(Ending.LOGGED_OUT) in live.events
    assert not await live.client.is_live()
    await live.client.stop()
    await assert_not_linked(follow(device))


async def test_logging_out_unlinks_the_device(live: Following, follow: Follow, device: Path) -> None:
    await live.client.logout()

    async def away() -> bool:
        return not await live.client.is_live()

    await until_async(away, "the client is not live", within=DEADLINE)
    await live.client.stop()
    await assert_not_linked(follow(device))


async def assert_not_linked(following: Following) -> None:
    try:
        await following.client.connect()
    except NotPairedError:
        return
    await following.wait_for(Ended)
    assert Ended(Ending.LOGGED_OUT) in following.events


async def test_a_second_client_of_a_device_replaces_the_first(
    live: Following, follow: Follow, device: Path
) -> None:
    second = follow(device)
    await second.client.connect()
    await second.wait_for(Connected)
    await live.wait_for(Ended)
    assert Ended(Ending.REPLACED) in live.events
    assert await second.client.is_live()


async def test_clients_connect_and_stop_side_by_side(follow: Follow, device: Path) -> None:
    """One device's clients replace each other; whatever comes of them, all can be stopped."""
    clients = [follow(device) for _ in range(6)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.client.connect() for one in clients), return_exceptions=True)
        await asyncio.gather(*(one.client.stop() for one in clients))
    last = follow(device)
    await last.client.connect()
    await last.wait_for(Connected)
