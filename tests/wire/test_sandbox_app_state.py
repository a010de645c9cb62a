"""An account's phone and its sessions agree on settings, each of which both can change."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.app_state import COLLECTIONS
from sandbox.curve import KeyPair
from sandbox.stanza import Node, Value
from tests.wire.real_client import RealClient, RefusedError, real_client
from tests.wire.sandbox_process import SandboxProcess, eventually
from tests.wire.wire_client import Online, WireClient, linked, publish

SAM, KIM = "491760001", "491760002"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def session(
    network: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealClient]:
    """The real client of Sam's account, who knows Kim."""
    await network.ok("PUT", f"/contacts/{KIM}", {"name": "Kim", "kind": "sink"})
    async with real_client(network, tmp_path_factory.mktemp("sam") / "device.db") as client:
        await client.link(network, SAM)
        yield client


async def lid(sandbox: SandboxProcess, number: str) -> str:
    return str((await sandbox.ok("GET", f"/phones/{number}"))["lid"])


async def version(sandbox: SandboxProcess, collection: str) -> int:
    state = await sandbox.ok("GET", f"/phones/{SAM}/app-state")
    assert [each["problem"] for each in state.values()] == [""] * 5
    return int(state[collection]["version"])


async def knows(client: RealClient, chat: str, **expected: object) -> dict[str, Any]:
    """Waits until the client's own store says so about a chat."""

    async def ask() -> dict[str, Any] | None:
        settings: dict[str, Any] = await client.ask("settings", chat=chat)
        return settings if expected.items() <= settings.items() else None

    return await eventually(ask, f"the client knows {expected}")


async def test_the_phone_shares_its_key_when_a_session_logs_in_first(session: RealClient) -> None:
    shared = await session.expect("message", lambda event: event["category"] == "peer")
    assert (shared["mine"], shared["kinds"]) == (True, ["protocolMessage"])


async def test_what_the_phone_sets_reaches_the_session(sandbox: SandboxProcess, session: RealClient) -> None:
    path, chat = f"/phones/{SAM}/chats/{KIM}", await lid(sandbox, KIM)
    # When the phone pins and mutes a chat
    until = time.time_ns() // 1_000_000 + 3_600_000
    await sandbox.ok("PATCH", path, {"pinned": True, "mutedUntil": until})
    # Then the client has verified and stored it
    known = await knows(session, chat, pinned=True, archived=False)
    known = await knows(session, chat, mutedUntil=until // 1000)
    # And when it archives the chat, that unpins it
    await sandbox.ok("PATCH", path, {"archived": True})
    known = await knows(session, chat, archived=True)
    assert known["pinned"] is False
    [shown] = await sandbox.ok("GET", f"/phones/{SAM}/chats")
    assert shown == {
        "jid": f"{KIM}@s.whatsapp.net",
        "lid": chat,
        "archived": True,
        "pinned": False,
        "mutedUntil": until,
        "read": None,
    }
    # And back
    await sandbox.ok("PATCH", path, {"archived": False, "mutedUntil": None})
    await knows(session, chat, archived=False)
    [shown] = await sandbox.ok("GET", f"/phones/{SAM}/chats")
    assert (shown["archived"], shown["mutedUntil"]) == (False, None)


async def test_what_a_session_sets_reaches_the_phone(sandbox: SandboxProcess, session: RealClient) -> None:
    before = await version(sandbox, "critical_block")
    await session.ask("rename", name="Samantha")
    # The phone has verified every MAC of the client's patch and the sum over all values
    assert await version(sandbox, "critical_block") == before + 1
    assert (await sandbox.ok("GET", f"/phones/{SAM}"))["name"] == "Samantha"


async def test_a_session_that_was_away_catches_up(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number, store = "491760003", tmp_path / "device.db"
    async with real_client(sandbox, store) as client:
        await client.link(sandbox, number)
        await client.expect("message", lambda event: event["category"] == "peer")
    await sandbox.ok("PATCH", f"/phones/{number}/chats/{KIM}", {"pinned": True})
    async with real_client(sandbox, store) as client:
        await client.ask("connect")
        await client.expect("connected")
        await knows(client, await lid(sandbox, KIM), pinned=True)


async def test_settings_survive_the_network(sandbox: SandboxProcess, session: RealClient) -> None:
    path = f"/phones/{SAM}/chats"
    await sandbox.ok("PATCH", f"{path}/{KIM}", {"pinned": True})
    before = await sandbox.ok("GET", path), await sandbox.ok("GET", f"/phones/{SAM}/app-state")
    await sandbox.end()
    await sandbox.start()
    assert (await sandbox.ok("GET", path), await sandbox.ok("GET", f"/phones/{SAM}/app-state")) == before
    # And the session, which has reconnected, still follows
    await sandbox.ok("PATCH", f"{path}/{KIM}", {"archived": True})
    await knows(session, await lid(sandbox, KIM), archived=True)


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_a_collection_without_a_name_is_refused(
    sandbox: SandboxProcess, session: RealClient, collection: str
) -> None:
    # The library's own call for patches names no collection, whichever it is given (decision 0130).
    before = await sandbox.ok("GET", f"/phones/{SAM}/app-state")
    with pytest.raises(RefusedError, match="400"):
        await session.ask("archive", chat=f"{KIM}@s.whatsapp.net", collection=collection.upper())
    assert await sandbox.ok("GET", f"/phones/{SAM}/app-state") == before


async def sync(client: WireClient, **collection: Value) -> Node:
    """Asks for one collection, and offers a patch where there is content."""
    patch = collection.pop("patch", None)
    content = None if patch is None else [Node("patch", content=str(patch).encode())]
    asked = Node("collection", {"name": "regular_low", **collection}, content)
    answer = await client.query("w:sync:app:state", "set", [Node("sync", content=[asked])])
    return answer.children[0] if answer.text("type") == "error" else answer.children[0].children[0]


async def test_a_patch_on_top_of_an_old_version_is_a_conflict(sandbox: SandboxProcess) -> None:
    number = "491760004"
    device = await linked(sandbox, number)
    await sandbox.ok("PATCH", f"/phones/{number}/chats/{KIM}", {"pinned": True})
    async with Online(sandbox, device) as client:
        # Who offers a patch without knowing the phone's gets that one, and may try again
        answer = await sync(client, version="0", patch="")
        assert answer.text("type") == "error"
        error, patches = answer.child("error"), answer.child("patches")
        assert error is not None
        assert error.text("code") == "409"
        assert patches is not None
        assert len(patches.children) == 1


async def test_what_cannot_be_asked_is_refused(sandbox: SandboxProcess) -> None:
    device = await linked(sandbox, "491760005")
    async with Online(sandbox, device) as client:
        for wrong in ({"name": "secrets"}, {"version": "-1"}, {"version": "0", "patch": "\x0f"}):
            assert (await sync(client, **wrong)).text("code") == "400"
        assert (await client.query("w:sync:app:state", "set")).text("type") == "error"


async def test_the_phone_stops_to_follow_what_it_cannot_verify(sandbox: SandboxProcess) -> None:
    number = "491760006"
    device, other = await linked(sandbox, number), await linked(sandbox, number)
    async with Online(sandbox, device) as client, Online(sandbox, other) as informed:
        # Given a patch by who has no key; the network, which cannot know, takes it and tells the others
        assert (await sync(client, version="0", patch="")).text("version") == "1"
        news = await informed.expect(lambda node: node.text("type") == "server_sync")
        assert news.children[0].attrs == {"name": "regular_low", "version": "1"}
    # Then the phone says so, and sets nothing in this collection any more, but in others
    state = await sandbox.ok("GET", f"/phones/{number}/app-state")
    assert "version 1: it is authenticated with a key" in state["regular_low"]["problem"]
    path = f"/phones/{number}/chats/{KIM}"
    assert (await sandbox.request("PATCH", path, {"pinned": True})).status_code == 409
    await sandbox.ok("PATCH", path, {"mutedUntil": -1})
    [shown] = await sandbox.ok("GET", f"/phones/{number}/chats")
    assert (shown["pinned"], shown["mutedUntil"]) == (False, -1)


@pytest.mark.parametrize(
    "change", [{"archived": 1}, {"mutedUntil": "x"}, {"mutedUntil": True}, {"name": "x"}]
)
async def test_a_change_that_is_none_is_refused(sandbox: SandboxProcess, change: dict[str, object]) -> None:
    await linked(sandbox, "491760007")
    response = await sandbox.request("PATCH", f"/phones/491760007/chats/{KIM}", change)
    assert response.status_code == 400


async def test_many_patches_come_in_portions(sandbox: SandboxProcess) -> None:
    number = "491760008"
    device = await linked(sandbox, number)
    for pinned in (True, False) * 60:
        await sandbox.ok("PATCH", f"/phones/{number}/chats/{KIM}", {"pinned": pinned})
    async with Online(sandbox, device) as client:
        first = await sync(client, version="0", return_snapshot="true")
        assert first.text("has_more_patches") == "true"
        assert len(first.children[0].children) == 100
        last = await sync(client, version="100")
        assert last.text("has_more_patches") == "false"
        assert len(last.children[0].children) == 20


async def test_a_device_that_lost_the_key_gets_it_again(sandbox: SandboxProcess) -> None:
    def peer_message(node: Node) -> bool:
        return node.tag == "message" and node.text("category") == "peer"

    device = await linked(sandbox, "491760009")
    async with WireClient(sandbox, device) as client:
        # Given a device that published its keys and got the phone's when it became active
        await client.log_in()
        await publish(client, device, [KeyPair.generate().public for _ in range(10)])
        await client.activate()
        first = await client.expect(peer_message)
        enc = first.child("enc")
        assert enc is not None
        assert (first.jid("from"), enc.text("type")) == (device.lid.account, "pkmsg")
        await client.send(Node("receipt", {"to": device.lid.account, "id": first.text("id")}))
        # When it writes to the phone about that
        request = Node("enc", {"v": "2", "type": "msg"}, b"which the phone cannot read")
        attrs: dict[str, Value] = {"to": device.pn.account, "id": "P1", "type": "text", "category": "peer"}
        await client.send(Node("message", attrs, [request]))
        # Then the key comes again, and is not sent unasked at the next login
        second = await client.expect(peer_message)
        assert second.text("id") != first.text("id")
        await client.send(Node("receipt", {"to": device.lid.account, "id": second.text("id")}))
        await client.expect(lambda node: node.tag == "ack" and node.text("id") == second.text("id"))
    async with Online(sandbox, device) as client:
        assert not any(map(peer_message, client.unread))
