"""Pairing attempts."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from server.errors import Code, WagateError
from server.whatsapp.jid import Jid
from server.whatsapp.pairing_port import Paired, PairingAttempt, PairingFailed, PairingFailure, QRCode
from server.whatsapp.port import Connected, ConnectError
from tests.contract.port.conftest import Follow
from tests.contract.port.following import DEADLINE
from tests.contract.port.world import PAIRINGS, World
from tests.support.waiting import one_turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "device"
    path.mkdir()
    return path


async def first_code(attempt: PairingAttempt) -> QRCode:
    async with asyncio.timeout(DEADLINE):
        code = await attempt.next()
    assert isinstance(code, QRCode)
    return code


async def test_a_code_is_scanned_and_the_device_connects(
    world: World, follow: Follow, folder: Path, number: str
) -> None:
    attempt = await world.pairing.begin("session", folder)
    code = await first_code(attempt)
    assert code.code
    assert 0 < code.expires_at - time.time() * 1000 <= 60_000
    await world.scan(code.code, number)
    async with asyncio.timeout(DEADLINE):
        assert await attempt.next() == Paired(Jid(number, "s.whatsapp.net"))
    await attempt.stop()
    following = follow(folder)
    assert (await following.client.connect()).jid.user == number
    await following.wait_for(Connected)


async def test_an_attempt_that_is_stopped_ends_whoever_waits_for_it(world: World, folder: Path) -> None:
    attempt = await world.pairing.begin("session", folder)
    await first_code(attempt)
    waiting = asyncio.create_task(attempt.next())
    await one_turn()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(attempt.stop(), attempt.stop())
        await attempt.stop()
        assert isinstance(await waiting, PairingFailed)


async def test_giving_up_waiting_for_a_code_loses_none(world: World, folder: Path) -> None:
    attempt = await world.pairing.begin("session", folder)
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                waiting = asyncio.create_task(attempt.next())
                done, _ = await asyncio.wait({waiting}, timeout=0.01)
                if done:
                    break
                waiting.cancel()
                await asyncio.wait({waiting})
        assert isinstance(waiting.result(), QRCode)
    finally:
        await attempt.stop()


async def test_attempts_are_bounded_and_stopping_one_frees_its_place(world: World, tmp_path: Path) -> None:
    running = []
    for count in range(PAIRINGS):
        folder = tmp_path / str(count)
        folder.mkdir()
        running.append(await world.pairing.begin(f"session{count}", folder))
    with pytest.raises(WagateError) as caught:
        await world.pairing.begin("one more", tmp_path)
    assert caught.value.code is Code.UNAVAILABLE
    for attempt in running:
        await attempt.stop()
    again = await world.pairing.begin("session", tmp_path / "0")
    await first_code(again)
    await again.stop()


async def test_an_attempt_may_be_stopped_before_its_first_code(world: World, folder: Path) -> None:
    async with asyncio.timeout(60):
        for _ in range(3):
            attempt = await world.pairing.begin("session", folder)
            await attempt.stop()


async def test_a_code_is_typed_and_the_device_connects(
    world: World, follow: Follow, folder: Path, number: str
) -> None:
    attempt = await world.pairing.begin("session", folder)
    code = await attempt.code_for(number)
    assert re.fullmatch("[0-9A-Z]{4}-[0-9A-Z]{4}", code.code)
    assert 0 < code.expires_at - time.time() * 1000 <= 160_000
    # QR codes go on beside it
    await first_code(attempt)
    await world.enter(code.code, number)
    async with asyncio.timeout(DEADLINE):
        assert await attempt.next() == Paired(Jid(number, "s.whatsapp.net"))
    with pytest.raises(ConnectError):
        await attempt.code_for(number)
    await attempt.stop()
    following = follow(folder)
    assert (await following.client.connect()).jid.user == number
    await following.wait_for(Connected)


async def test_the_newest_code_is_the_one_that_is_good(world: World, folder: Path, number: str) -> None:
    attempt = await world.pairing.begin("session", folder)
    try:
        first, second = await attempt.code_for(number), await attempt.code_for(number)
        assert first.code != second.code
        await world.enter(second.code, number)
        await first_code(attempt)
        async with asyncio.timeout(DEADLINE):
            assert isinstance(await attempt.next(), Paired)
    finally:
        await attempt.stop()


async def test_codes_may_be_asked_for_side_by_side(world: World, folder: Path, number: str, ada: str) -> None:
    attempt = await world.pairing.begin("session", folder)
    try:
        async with asyncio.timeout(DEADLINE):
            codes = await asyncio.gather(*(attempt.code_for(phone) for phone in (number, ada, number)))
        assert len({code.code for code in codes}) == 3
    finally:
        await attempt.stop()


async def test_an_attempt_that_is_over_gives_no_code(world: World, folder: Path, number: str) -> None:
    attempt = await world.pairing.begin("session", folder)
    await first_code(attempt)
    asking = asyncio.create_task(attempt.code_for(number))
    await attempt.stop()
    async with asyncio.timeout(DEADLINE):
        await asyncio.wait({asking})
        if asking.exception() is not None:  # else the code was faster
            assert isinstance(asking.exception(), ConnectError)
        with pytest.raises(ConnectError):
            await attempt.code_for(number)


@pytest.mark.parametrize("typed", [False, True], ids=["scanned", "typed"])
async def test_an_account_that_demands_a_passkey_is_not_linked(
    world: World, folder: Path, number: str, *, typed: bool
) -> None:
    await world.demand_passkey(number)
    attempt = await world.pairing.begin("session", folder)
    try:
        code = await first_code(attempt)
        if typed:
            await world.enter((await attempt.code_for(number)).code, number)
        else:
            await world.scan(code.code, number)
        async with asyncio.timeout(DEADLINE):
            assert await attempt.next() == PairingFailed(PairingFailure.PASSKEY)
    finally:
        await attempt.stop()
