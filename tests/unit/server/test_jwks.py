"""The frontend's keys: rotation, floods of unknown ones, and a frontend that does not answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from server.auth.jwks import COOLDOWN_SECONDS, STALE_SECONDS, SigningKeys
from server.errors import Code, WagateError
from tests.support.frontend import Frontend
from tests.support.waiting import one_turn, until


@dataclass
class Clock:
    """Time that passes when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def keys(front: Frontend, clock: Clock) -> AsyncIterator[SigningKeys]:
    """Keys that nobody refreshes but the test."""
    found = SigningKeys(front.url, clock)
    yield found
    await found.close()


async def refused(keys: SigningKeys, key_id: str) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await keys.find(key_id)
    return caught.value


async def test_known_keys_are_fetched_once(keys: SigningKeys, front: Frontend, clock: Clock) -> None:
    for _ in range(10):
        assert (await keys.find("ed")).algorithm_name == "EdDSA"
        clock.now += COOLDOWN_SECONDS
    assert front.fetches == 1


async def test_many_who_come_first_wait_for_one_fetch(keys: SigningKeys, front: Frontend) -> None:
    found = await asyncio.gather(*(keys.find(name) for name in ("rsa", "ec", "ed") * 20))
    assert len(found) == 60
    assert front.fetches == 1


async def test_a_key_published_later_is_fetched_when_it_is_first_used(
    keys: SigningKeys, front: Frontend, clock: Clock
) -> None:
    await keys.find("ed")
    front.publish("next")
    clock.now += COOLDOWN_SECONDS
    assert (await keys.find("next")).key_id == "next"
    assert front.fetches == 2


async def test_a_key_taken_away_is_refused_after_the_next_fetch(
    keys: SigningKeys, front: Frontend, clock: Clock
) -> None:
    await keys.find("rsa")
    front.withdraw("rsa")
    clock.now += COOLDOWN_SECONDS
    assert (await refused(keys, "another")).code is Code.UNAUTHORIZED
    assert (await refused(keys, "rsa")).code is Code.UNAUTHORIZED


async def test_a_flood_of_unknown_keys_makes_one_fetch_per_cooldown(
    keys: SigningKeys, front: Frontend, clock: Clock
) -> None:
    await keys.find("ed")
    for period in range(1, 4):
        clock.now += COOLDOWN_SECONDS
        flood = await asyncio.gather(*(keys.find(f"random-{n}") for n in range(500)), return_exceptions=True)
        assert {error.code for error in flood if isinstance(error, WagateError)} == {Code.UNAUTHORIZED}
        assert len(flood) == 500
        assert front.fetches == 1 + period


async def test_known_keys_wait_for_no_fetch(keys: SigningKeys, front: Frontend, clock: Clock) -> None:
    # given a frontend that takes its time over an unknown key
    await keys.find("ed")
    clock.now += COOLDOWN_SECONDS
    front.may_answer.clear()
    front.asked.clear()
    flood = [asyncio.create_task(keys.find(f"random-{n}")) for n in range(50)]
    await until(front.asked.is_set, "the frontend is asked")
    # then a known key is there at once, while nobody of the flood has an answer
    assert (await keys.find("ed")).key_id == "ed"
    assert not [task for task in flood if task.done()]
    front.may_answer.set()
    await asyncio.wait(flood)
    assert front.fetches == 2


async def test_a_caller_who_goes_away_does_not_end_the_fetch_of_others(
    keys: SigningKeys, front: Frontend
) -> None:
    front.may_answer.clear()
    first, second = (asyncio.create_task(keys.find("ed")) for _ in range(2))
    await until(front.asked.is_set, "the frontend is asked")
    first.cancel()
    await asyncio.wait({first})
    front.may_answer.set()
    assert (await second).key_id == "ed"
    assert front.fetches == 1


BROKEN: dict[str, tuple[int, bytes | None]] = {
    "500": (500, None),
    "404": (404, None),
    "a redirect": (302, None),
    "no JSON": (200, b"<html>"),
    "nothing": (200, b""),
    "a list": (200, b"[]"),
    "no keys": (200, b'{"keys": []}'),
    "another object": (200, b'{"message": "maintenance"}'),
    "keys that are none": (200, b'{"keys": [1, null, {"kty": "RSA"}, {"kid": "ed"}]}'),
    "keys that are no list": (200, b'{"keys": "ed"}'),
    "not UTF-8": (200, b"\xff\xfe\xfa"),
    "many brackets": (200, b"[" * 100_000),
}


@pytest.mark.parametrize("answer", sorted(BROKEN))
async def test_known_keys_go_on_while_the_frontend_cannot_be_asked(
    keys: SigningKeys, front: Frontend, clock: Clock, answer: str
) -> None:
    # given keys that are known, and a frontend that then answers nonsense
    await keys.find("ed")
    front.status, front.raw = BROKEN[answer]
    clock.now += COOLDOWN_SECONDS
    # then a new one cannot be told from a wrong one: neither let in nor sent away for good
    error = await refused(keys, "next")
    assert (error.code, error.retry_after) == (Code.UNAVAILABLE, 5)
    assert (await keys.find("ed")).key_id == "ed"
    # and the frontend is not asked again at once
    assert (await refused(keys, "next")).code is Code.UNAVAILABLE
    assert front.fetches == 2
    # when it answers again
    front.status, front.raw = 200, None
    front.publish("next")
    clock.now += COOLDOWN_SECONDS
    assert (await keys.find("next")).key_id == "next"
    assert (await refused(keys, "wrong")).code is Code.UNAUTHORIZED


async def test_nobody_there_is_unavailable(clock: Clock) -> None:
    keys = SigningKeys("http://127.0.0.1:9/jwks.json", clock)
    assert (await refused(keys, "ed")).code is Code.UNAVAILABLE
    await keys.close()


async def test_keys_are_not_good_for_ever_without_the_frontend(
    keys: SigningKeys, front: Frontend, clock: Clock
) -> None:
    await keys.find("ed")
    front.status = 500
    clock.now += STALE_SECONDS - 1
    await refused(keys, "next")
    assert (await keys.find("ed")).key_id == "ed"
    clock.now += COOLDOWN_SECONDS
    await refused(keys, "next")
    assert (await refused(keys, "ed")).code is Code.UNAVAILABLE


async def test_of_two_keys_with_one_id_the_first_counts(keys: SigningKeys, front: Frontend) -> None:
    front.published.append({**front.published[0], "kid": "ed"})
    assert (await keys.find("ed")).algorithm_name == "EdDSA"


async def test_keys_are_refreshed_without_being_asked_for(front: Frontend, clock: Clock) -> None:
    keys = SigningKeys(front.url, clock, refresh=0.01)
    keys.open()
    await until(lambda: front.fetches >= 3, "the keys are fetched again and again")
    front.withdraw("rsa")
    seen = front.fetches
    await until(lambda: front.fetches >= seen + 2, "a fetch after the withdrawal is over")
    assert (await refused(keys, "rsa")).code is Code.UNAUTHORIZED
    await keys.close()


async def test_closing_during_a_fetch_leaves_nothing_behind(front: Frontend, clock: Clock) -> None:
    before = asyncio.all_tasks()
    front.may_answer.clear()
    keys = SigningKeys(front.url, clock)
    keys.open()
    await until(front.asked.is_set, "the frontend is asked")
    await keys.close()
    await one_turn()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,{}", "jwks.json"])
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(Exception, match="scheme"):
        SigningKeys(url)
