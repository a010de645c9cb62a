"""A phone gives its past to the devices that it links."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.wire_protos import Conversation, HistorySync
from tests.wire.real_client import Event, RealClient, real_client
from tests.wire.sandbox_process import SandboxProcess


async def chunks(client: RealClient, count: int) -> list[Event]:
    return [await client.expect("history") for _ in range(count)]


async def give(sandbox: SandboxProcess, number: str, chunk: bytes) -> Any:
    response = await sandbox.send_bytes(f"/phones/{number}/history", chunk)
    assert response.is_success, response.text
    return response.json()


async def test_a_phone_gives_its_past_to_each_new_device_once(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    number, ann = "491780001", "491780002"
    await sandbox.ok("PUT", f"/contacts/{ann}", {"name": "Ann", "kind": "sink"})
    # Given a phone with a past, before any device is linked
    held = await sandbox.ok("PUT", f"/phones/{number}/history", {"messages": 6_000, "chats": 8})
    assert held == {"chunks": 6}
    # When a device is linked
    async with real_client(sandbox, tmp_path / "device.db") as client:
        await client.link(sandbox, number)
        told = await chunks(client, 6)
        # Then it gets all of it, in order
        kinds = ["INITIAL_BOOTSTRAP", "PUSH_NAME", "NON_BLOCKING_DATA", "INITIAL_STATUS_V3", "RECENT", "FULL"]
        assert [chunk["type"] for chunk in told] == kinds
        assert sum(chunk["messages"] for chunk in told) == 6_000
        assert (told[-2]["progress"], told[-1]["progress"]) == (50, 100)
        assert len(told[0]["chats"]) == 8
        assert (await sandbox.ok("GET", f"/phones/{ann}"))["lid"] in told[0]["chats"]
        assert "Ann" in told[1]["names"]
        # And not again, when it comes back
        await sandbox.fault(kind="cut", number=number)
        await client.expect("connected")
        await give(sandbox, number, HistorySync(syncType=HistorySync.ON_DEMAND).SerializeToString())
        assert [chunk["type"] for chunk in await chunks(client, 1)] == ["ON_DEMAND"]
    # While another device gets it too
    async with real_client(sandbox, tmp_path / "second.db") as client:
        await client.link(sandbox, number)
        assert [chunk["type"] for chunk in await chunks(client, 6)] == kinds


async def test_what_a_phone_remembers_survives_a_restart(
    tmp_path: Path,
) -> None:
    sandbox = SandboxProcess(tmp_path / "data")
    await sandbox.start()
    try:
        await sandbox.ok("PUT", "/phones/491780003/history", {"messages": 30, "chats": 3})
        await sandbox.end()
        await sandbox.start()
        async with real_client(sandbox, tmp_path / "device.db") as client:
            await client.link(sandbox, "491780003")
            assert sum(chunk["messages"] for chunk in await chunks(client, 5)) == 30
    finally:
        await sandbox.close()


async def test_a_phone_gives_more_whenever_it_is_told_to(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number = "491780004"
    # Given a phone that forgot what it held
    await sandbox.ok("PUT", f"/phones/{number}/history", {"messages": 30})
    assert await sandbox.ok("PUT", f"/phones/{number}/history", {"messages": 0}) == {"chunks": 0}
    async with real_client(sandbox, tmp_path / "device.db") as client:
        await client.link(sandbox, number)
        await client.expect("message", lambda event: event["category"] == "peer")
        # When it is told to give some
        given = await sandbox.ok("POST", f"/phones/{number}/history", {"messages": 50, "chats": 2})
        assert given == {"chunks": 5, "devices": 1}
        # Then that is all that comes
        assert sum(chunk["messages"] for chunk in await chunks(client, 5)) == 50
        # And a chunk of one's own comes as it is
        own = HistorySync(
            syncType=HistorySync.RECENT, progress=7, conversations=[Conversation(ID="1@lid")]
        ).SerializeToString()
        assert await give(sandbox, number, own) == {"chunks": 1, "devices": 1}
        (chunk,) = await chunks(client, 1)
        assert (chunk["type"], chunk["progress"], chunk["chats"]) == ("RECENT", 7, ["1@lid"])


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": -1},
        {"messages": 1_000_001},
        {"messages": 1, "chats": 0},
        {"messages": "many"},
        {"m": 1},
        {"messages": 1, "with": ["nobody"]},
    ],
)
async def test_a_past_that_cannot_be_is_refused(sandbox: SandboxProcess, fields: dict[str, object]) -> None:
    assert (await sandbox.request("PUT", "/phones/491780005/history", fields)).status_code == 400


async def test_only_devices_that_were_online_can_be_given_anything(sandbox: SandboxProcess) -> None:
    path = "/phones/491780006/history"
    assert (await sandbox.request("POST", path, {"messages": 1})).status_code == 404
    await sandbox.ok("PUT", path, {"messages": 1})
    assert (await sandbox.request("POST", path, {"messages": 1})).status_code == 409
    assert (await sandbox.send_bytes(path, b"\xff")).status_code == 400
