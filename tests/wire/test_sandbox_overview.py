"""The network as a whole: who is there, what happened, and what somebody who watches is told."""

import asyncio
from pathlib import Path

import pytest

from tests.wire.persons import heard, person, say
from tests.wire.sandbox_process import SandboxProcess


async def test_a_phone_is_there_before_it_links_anything(sandbox: SandboxProcess) -> None:
    phone = await sandbox.ok("PUT", "/phones/491760001", {"name": "Sam"})
    assert (phone["name"], phone["devices"]) == ("Sam", [])
    assert phone in await sandbox.ok("GET", "/phones")
    assert await sandbox.ok("PUT", "/phones/491760001", {"name": "Another"}) == phone
    unnamed = await sandbox.ok("PUT", "/phones/491760002", {})
    assert unnamed["name"] == "User 0002"


async def test_a_contact_is_no_phone(sandbox: SandboxProcess) -> None:
    await sandbox.ok("PUT", "/contacts/491760003", {"name": "Void", "kind": "sink"})
    refused = await sandbox.request("PUT", "/phones/491760003", {})
    assert refused.status_code == 409
    numbers = [phone["number"] for phone in await sandbox.ok("GET", "/phones")]
    assert "491760003" not in numbers


async def test_one_answer_shows_the_whole_network(sandbox: SandboxProcess) -> None:
    await sandbox.ok("PUT", "/phones/491760001", {})
    await sandbox.ok("PUT", "/contacts/491760003", {"name": "Void", "kind": "sink"})
    await sandbox.fault(kind="no_lid", number="491760001")
    network = await sandbox.ok("GET", "/network")
    for part in ("phones", "contacts", "groups", "calls", "faults", "stats"):
        assert network[part] == await sandbox.ok("GET", f"/{part}"), part
    assert [fault["kind"] for fault in network["faults"]] == ["no_lid"]


async def test_who_watches_is_told_at_once(sandbox: SandboxProcess) -> None:
    await person(sandbox, "491760010", "Ann")
    await person(sandbox, "491760011", "Bob")
    before = await sandbox.ok("GET", "/journal?limit=1")
    last = before[-1]["seq"] if before else 0
    watching = asyncio.create_task(sandbox.ok("GET", f"/journal?after={last}&wait=30"))
    sent = await say(sandbox, "491760010", "491760011", text="hello")
    (first, *_) = await watching
    assert first["seq"] > last
    await heard(sandbox, "491760011", sent["id"])
    after = await sandbox.ok("GET", f"/journal?after={last}")
    kinds = {(entry["number"], entry["kind"]) for entry in after}
    assert {("491760010", "sent"), ("491760011", "message")} <= kinds
    (told,) = [entry for entry in after if entry["kind"] == "message"]
    assert told["record"] == await heard(sandbox, "491760011", sent["id"])
    newest = await sandbox.ok("GET", "/journal?number=491760011&limit=500")
    assert {entry["number"] for entry in newest} == {"491760011"}
    assert [entry["seq"] for entry in newest] == sorted(entry["seq"] for entry in newest)


async def test_votes_have_the_names_of_their_options(sandbox: SandboxProcess) -> None:
    await person(sandbox, "491760010", "Ann")
    await person(sandbox, "491760011", "Bob")
    poll = await say(sandbox, "491760010", "491760011", poll={"name": "When?", "options": ["now", "later"]})
    await heard(sandbox, "491760011", poll["id"])
    vote = await say(sandbox, "491760011", "491760010", vote={"target": poll["id"], "options": ["later"]})
    await heard(sandbox, "491760010", vote["id"])
    newest = await sandbox.ok("GET", "/journal?number=491760010")
    (told,) = [entry["record"] for entry in newest if entry["record"].get("id") == vote["id"]]
    assert told["vote"]["options"] == ["later"]


async def test_who_waits_for_nothing_gets_nothing(sandbox: SandboxProcess) -> None:
    newest = await sandbox.ok("GET", "/journal?limit=1")
    last = newest[-1]["seq"] if newest else 0
    for _ in range(5):  # what earlier tests set going may still be under way: their receipts
        later = await sandbox.ok("GET", f"/journal?after={last}&wait=1")
        if not later:
            break
        last = later[-1]["seq"]
    assert later == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "after=-1",
        "after=1&wait=31",
        "number=x",
        f"after={'9' * 30}",
        "after=1&number=491701",
    ],
)
async def test_what_makes_no_sense_is_refused(sandbox: SandboxProcess, query: str) -> None:
    answer = await sandbox.request("GET", f"/journal?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_one_fault_ends_and_the_others_stay(sandbox: SandboxProcess) -> None:
    first = await sandbox.ok("POST", "/faults", {"kind": "no_lid"})
    await sandbox.fault(kind="ack_drop")
    await sandbox.ok("DELETE", f"/faults/{first['id']}")
    assert [fault["kind"] for fault in await sandbox.ok("GET", "/faults")] == ["ack_drop"]
    assert (await sandbox.request("DELETE", f"/faults/{first['id']}")).status_code == 404
    assert (await sandbox.request("DELETE", "/faults/x")).status_code == 404


async def test_every_kind_of_fault_can_be_switched_on_as_it_is_offered(sandbox: SandboxProcess) -> None:
    kinds = await sandbox.ok("GET", "/faults/kinds")
    for kind in kinds:
        own = {field["name"]: field["default"] for field in kind["fields"]}
        # Of a number that nobody has: nothing else is hit.
        await sandbox.fault(kind=kind["kind"], number="491769999", **own)
    active = {fault["kind"] for fault in await sandbox.ok("GET", "/faults")}
    assert {kind["kind"] for kind in kinds} == active | {"cut", "stream_error"}


async def test_a_call_is_listed_until_it_ends(sandbox: SandboxProcess) -> None:
    await sandbox.ok("PUT", "/contacts/491760003", {"name": "Void", "kind": "sink"})
    await sandbox.ok("PUT", "/phones/491760001", {})
    call = await sandbox.ok("POST", "/contacts/491760003/calls", {"to": "491760001"})
    (ringing,) = await sandbox.ok("GET", "/calls")
    assert ringing == {
        "id": call["id"],
        "from": "491760003",
        "to": "491760001",
        "group": None,
        "video": False,
        "taken": False,
    }
    await sandbox.ok("POST", f"/calls/{call['id']}/accept")
    assert [each["taken"] for each in await sandbox.ok("GET", "/calls")] == [True]
    await sandbox.ok("DELETE", f"/calls/{call['id']}")
    assert await sandbox.ok("GET", "/calls") == []


async def test_who_waits_does_not_keep_the_network_from_ending(tmp_path: Path) -> None:
    process = SandboxProcess(tmp_path / "data")
    await process.start()
    try:
        port = int(process.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /journal?after=0&wait=30 HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        await process.ok("GET", "/stats")  # by then the other one is waited for
        assert await process.end() == 0
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"[]")
        writer.close()
    finally:
        await process.close()
