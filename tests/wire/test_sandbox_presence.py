"""What sessions show of themselves: typing, presence, names, and what they have read."""

import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.wire.real_client import RealClient, real_client
from tests.wire.sandbox_process import SandboxProcess

ANN, BOB = "491780001", "491780002"


class Pair(NamedTuple):
    """Two sessions who know each other's addresses."""

    ann: RealClient
    bob: RealClient
    ann_lid: str
    bob_lid: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(network: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    async with real_client(network, folder / "ann.db") as ann, real_client(network, folder / "bob.db") as bob:
        await ann.link(network, ANN)
        await bob.link(network, BOB)
        for client in (ann, bob):
            # The phone's key, and with it the client's own name, without which it has no presence
            await client.expect("message", lambda event: event["category"] == "peer")
        lids = [(await network.ok("GET", f"/phones/{number}"))["lid"] for number in (ANN, BOB)]
        yield Pair(ann, bob, *lids)


@pytest.mark.parametrize("state", ["composing", "recording", "paused"])
async def test_a_chat_state_reaches_the_other_side(pair: Pair, state: str) -> None:
    await pair.ann.ask("chat_state", to=pair.bob_lid, state=state)
    shown = await pair.bob.expect("chat_state")
    assert (shown["from"], shown["state"]) == (pair.ann_lid, state)


async def test_who_subscribed_learns_of_presence(sandbox: SandboxProcess, pair: Pair) -> None:
    # Given Ann, who was never available, and Bob who wants to know
    await pair.bob.ask("subscribe", to=pair.ann_lid)
    shown = await pair.bob.expect("presence")
    assert (shown["from"], shown["available"]) == (pair.ann_lid, False)
    # When she is, and is not any longer, then he is told each time
    await pair.ann.ask("presence", available=True)
    assert (await pair.bob.expect("presence"))["available"] is True
    await pair.ann.ask("presence", available=False)
    shown = await pair.bob.expect("presence")
    assert shown["available"] is False
    assert abs(shown["seen"] - time.time()) < 60
    # And when her connection breaks as well
    await pair.ann.ask("presence", available=True)
    assert (await pair.bob.expect("presence"))["available"] is True
    await sandbox.fault(kind="cut", number=ANN)
    assert (await pair.bob.expect("presence"))["available"] is False


async def test_people_see_the_name_that_the_owner_chose(sandbox: SandboxProcess, pair: Pair) -> None:
    sent = await pair.ann.ask("write", to=pair.bob_lid, text="hello")
    first = await pair.bob.expect("message", lambda event: event["id"] == sent)
    assert first["name"] == "User 0001"
    await sandbox.ok("PATCH", f"/phones/{ANN}", {"name": "Ann"})
    sent = await pair.ann.ask("write", to=pair.bob_lid, text="hello again")
    second = await pair.bob.expect("message", lambda event: event["id"] == sent)
    assert (second["name"], second["text"]) == ("Ann", "hello again")


async def test_the_writer_learns_what_was_read(pair: Pair) -> None:
    sent = [await pair.ann.ask("write", to=pair.bob_lid, text=f"number {n}") for n in range(3)]
    await pair.bob.expect("message", lambda event: event["id"] == sent[-1])
    await pair.bob.ask("read", chat=pair.ann_lid, ids=sent)
    receipt = await pair.ann.expect("receipt", lambda event: event["type"] == "read")
    assert receipt["ids"] == sent
