"""What sessions show of themselves: typing, presence, names, and what they have read."""

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.wire.real_client import RealClient, real_client
from tests.wire.sandbox_process import SandboxProcess, eventually

ANN, BOB = "491780001", "491780002"


class Pair(NamedTuple):
    """Two sessions who know each other's addresses."""

    ann: RealClient
    bob: RealClient
    ann_lid: str
    bob_lid: str


async def named(client: RealClient, name: str) -> None:
    async def is_named() -> bool:
        return bool(await client.ask("me") == name)

    await eventually(is_named, f"the client knows its name {name}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(network: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    async with real_client(network, folder / "ann.db") as ann, real_client(network, folder / "bob.db") as bob:
        await ann.link(network, ANN)
        await bob.link(network, BOB)
        for client, number in ((ann, ANN), (bob, BOB)):
            # A client has no presence before it knows its own name
            await named(client, f"User {number[-4:]}")
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


async def test_a_person_sees_a_session_and_is_seen_by_it(sandbox: SandboxProcess, pair: Pair) -> None:
    eve = "491780003"
    address = (await sandbox.ok("PUT", f"/contacts/{eve}", {"name": "Eve", "kind": "person"}))["lid"]

    async def saw(*states: str) -> list[dict[str, Any]]:
        async def ask() -> list[dict[str, Any]] | None:
            seen: list[dict[str, Any]] = await sandbox.ok("GET", f"/contacts/{eve}/seen")
            return seen if [each["state"] for each in seen] == list(states) else None

        return await eventually(ask, f"Eve saw {states}")

    # When a session types, records and pauses, Eve sees each
    for state in ("composing", "recording", "paused"):
        await pair.bob.ask("chat_state", to=address, state=state)
    seen = await saw("composing", "recording", "paused")
    assert {(each["from"], each["fromLid"]) for each in seen} == {(f"{BOB}@s.whatsapp.net", pair.bob_lid)}
    # And its presence, once she wants to know
    await sandbox.ok("POST", f"/contacts/{eve}/watch", {"who": BOB})
    await saw("composing", "recording", "paused", "unavailable")
    await pair.bob.ask("presence", available=True)
    await saw("composing", "recording", "paused", "unavailable", "available")
    # And the other way round
    await sandbox.ok("POST", f"/contacts/{eve}/show", {"state": "recording", "to": BOB})
    shown = await pair.bob.expect("chat_state")
    assert (shown["from"], shown["state"]) == (address, "recording")
    await pair.bob.ask("subscribe", to=address)
    assert (await pair.bob.expect("presence"))["available"] is False

    async def shows() -> bool:
        # Refused until her client has learned her name from her phone
        path = f"/contacts/{eve}/show"
        return (await sandbox.request("POST", path, {"state": "available"})).status_code == 204

    await eventually(shows, "Eve is available")
    assert (await pair.bob.expect("presence"))["available"] is True


async def test_a_person_learns_which_of_its_messages_a_session_read(
    sandbox: SandboxProcess, pair: Pair
) -> None:
    zoe = "491780004"
    address = (await sandbox.ok("PUT", f"/contacts/{zoe}", {"name": "Zoe", "kind": "person"}))["lid"]
    sent = [
        (await sandbox.ok("POST", f"/contacts/{zoe}/messages", {"to": BOB, "text": text}))["id"]
        for text in ("one", "two", "three")
    ]
    await pair.bob.expect("message", lambda event: event["id"] == sent[-1])
    await pair.bob.ask("read", chat=address, ids=sent[:2])

    async def told(message: str) -> bool:
        receipts = await sandbox.ok("GET", f"/contacts/{zoe}/messages/{message}/receipts")
        return "read" in [receipt["type"] for receipt in receipts]

    for message in sent[:2]:
        await eventually(partial(told, message), f"{message} was read")
    assert await told(sent[2]) is False


@pytest.mark.parametrize(
    "wrong", [{"state": "composing"}, {"state": "available", "to": BOB}, {"to": BOB}, {}]
)
async def test_a_state_that_is_none_is_refused(sandbox: SandboxProcess, wrong: dict[str, str]) -> None:
    await sandbox.ok("PUT", "/contacts/491780004", {"name": "Zoe", "kind": "person"})
    assert (await sandbox.request("POST", "/contacts/491780004/show", wrong)).status_code == 400
    assert (await sandbox.request("POST", "/contacts/491789999/show", wrong)).status_code == 404
