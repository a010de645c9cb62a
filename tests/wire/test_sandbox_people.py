"""Persons are real clients: what one writes, another one decrypts."""

import asyncio
import signal
import time

import pytest
import pytest_asyncio

from sandbox.jid import JID
from tests.wire.persons import heard, online, receipt, write
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Online, carries, linked

ANN, BOB = "491750001", "491750002"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def persons(network: SandboxProcess) -> None:
    for number, name in ((ANN, "Ann"), (BOB, "Bob")):
        contact = await network.ok("PUT", f"/contacts/{number}", {"name": name, "kind": "person"})
        assert contact["online"] is True


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("hello", id="plain"),
        pytest.param("\N{FAMILY}\N{ZERO WIDTH JOINER}\U0001f3f3\ufe0f\u200d\U0001f308 e\u0301", id="emoji"),
        pytest.param("שלום עולם مرحبا", id="right to left"),
        pytest.param("ab\u20ac" * 20_000, id="60,000 characters"),
        pytest.param(" \n\t\0 ", id="blanks and a zero"),
    ],
)
async def test_texts_go_both_ways(sandbox: SandboxProcess, text: str) -> None:
    for sender, receiver in ((ANN, BOB), (BOB, ANN)):
        sent = await write(sandbox, sender, receiver, text)
        message = await heard(sandbox, receiver, sent["id"])
        lid = (await sandbox.ok("GET", f"/contacts/{sender}"))["lid"]
        assert message == {
            "id": sent["id"],
            "from": f"{sender}@s.whatsapp.net",
            "fromLid": lid,
            "chat": f"{sender}@s.whatsapp.net",
            "chatLid": lid,
            "timestamp": sent["timestamp"],
            "type": "text",
            "kind": "text",
            "text": text,
        }
        assert abs(sent["timestamp"] / 1000 - time.time()) < 60


async def test_the_sender_learns_of_delivery_and_reading(sandbox: SandboxProcess) -> None:
    sent = await write(sandbox, ANN, BOB, "do you read me?")
    delivered = await receipt(sandbox, ANN, sent["id"], "delivered")
    assert delivered["from"] == f"{BOB}@s.whatsapp.net"
    await heard(sandbox, BOB, sent["id"])
    response = await sandbox.request("POST", f"/contacts/{BOB}/read", {"ids": [sent["id"]], "chat": ANN})
    assert response.status_code == 204
    await receipt(sandbox, ANN, sent["id"], "read")


async def test_jids_of_both_kinds_reach_a_person(sandbox: SandboxProcess) -> None:
    bob = await sandbox.ok("GET", f"/contacts/{BOB}")
    for to in (bob["jid"], bob["lid"]):
        sent = await write(sandbox, ANN, to, f"to {to}")
        await heard(sandbox, BOB, sent["id"])


async def test_many_at_once_arrive_once_each(sandbox: SandboxProcess) -> None:
    sent = await asyncio.gather(*(write(sandbox, ANN, BOB, f"number {n}") for n in range(50)))
    ids = [each["id"] for each in sent]
    for message_id in ids:
        await heard(sandbox, BOB, message_id)
    messages = await sandbox.ok("GET", f"/contacts/{BOB}/messages")
    assert sorted(m["id"] for m in messages if m["id"] in set(ids)) == sorted(ids)


async def test_a_duplicate_is_decrypted_once(sandbox: SandboxProcess) -> None:
    await sandbox.fault(kind="duplicate", number=BOB)
    sent = [await write(sandbox, ANN, BOB, f"twice {n}") for n in range(3)]
    await heard(sandbox, BOB, sent[-1]["id"])
    await sandbox.heal()
    after = await write(sandbox, ANN, BOB, "once")
    await heard(sandbox, BOB, after["id"])
    messages = await sandbox.ok("GET", f"/contacts/{BOB}/messages")
    assert [m["id"] for m in messages].count(sent[0]["id"]) == 1


async def test_who_was_away_hears_it_later(sandbox: SandboxProcess) -> None:
    # Given Bob, whose network is down
    await sandbox.fault(kind="refuse", number=BOB)
    await sandbox.fault(kind="cut", number=BOB)
    await online(sandbox, BOB, expected=False)
    # When Ann writes to him, it is acknowledged, and waits
    sent = [await write(sandbox, ANN, BOB, f"later {number}") for number in range(3)]
    assert (await sandbox.ok("GET", "/stats"))["messages"]["queued"] >= 3
    # Then he hears it once he is back
    await sandbox.heal()
    for each in sent:
        await heard(sandbox, BOB, each["id"])
    await receipt(sandbox, ANN, sent[-1]["id"], "delivered")


async def test_refusals_reach_the_writer(sandbox: SandboxProcess) -> None:
    await sandbox.fault(kind="ack_error", number=ANN, code=463, count=1)
    response = await sandbox.request("POST", f"/contacts/{ANN}/messages", {"to": BOB, "text": "no"})
    assert response.status_code == 502
    assert "463" in response.json()["error"]["message"]
    response = await sandbox.request("POST", f"/contacts/{ANN}/messages", {"to": "491759999", "text": "no"})
    assert response.status_code == 502
    assert "no LID found" in response.json()["error"]["message"]


async def test_a_contact_is_put_as_often_as_one_likes(sandbox: SandboxProcess) -> None:
    first = await sandbox.ok("PUT", f"/contacts/{ANN}", {"name": "Anna", "kind": "person"})
    assert first["name"] == "Anna"
    assert await sandbox.ok("PUT", f"/contacts/{ANN}", {"name": "Ann", "kind": "person"}) == {
        **first,
        "name": "Ann",
    }
    assert len((await sandbox.ok("GET", f"/phones/{ANN}"))["devices"]) == 1
    response = await sandbox.request("PUT", f"/contacts/{ANN}", {"name": "Ann", "kind": "sink"})
    assert response.status_code == 409


async def test_a_sink_takes_messages_and_says_nothing(sandbox: SandboxProcess) -> None:
    sink = await sandbox.ok("PUT", "/contacts/491750003", {"name": "Sink", "kind": "sink"})
    assert sink["kind"] == "sink"
    sent = await write(sandbox, ANN, "491750003", "into the void")
    after = await write(sandbox, ANN, BOB, "and to Bob")
    await receipt(sandbox, ANN, after["id"], "delivered")
    receipts = await sandbox.ok("GET", f"/contacts/{ANN}/receipts")
    assert not [r for r in receipts if sent["id"] in r["ids"]]
    response = await sandbox.request("POST", "/contacts/491750003/messages", {"to": ANN, "text": "x"})
    assert response.status_code == 409
    listed = await sandbox.ok("GET", "/contacts")
    assert {ANN, BOB, "491750003"} <= {contact["number"] for contact in listed}


async def test_an_unlinked_person_is_linked_anew(sandbox: SandboxProcess) -> None:
    await sandbox.ok("PUT", "/contacts/491750004", {"name": "Eve", "kind": "person"})
    assert (await sandbox.request("DELETE", "/phones/491750004/devices/1")).status_code == 204
    await online(sandbox, "491750004", expected=False)
    await sandbox.ok("PUT", "/contacts/491750004", {"name": "Eve", "kind": "person"})
    devices = (await sandbox.ok("GET", "/phones/491750004"))["devices"]
    assert [device["device"] for device in devices] == [2]
    sent = await write(sandbox, "491750004", BOB, "it is me again")
    await heard(sandbox, BOB, sent["id"])


async def test_persons_write_to_a_device_that_was_linked_later(sandbox: SandboxProcess) -> None:
    # Given two persons who have written to each other, and a new device of one of them
    await write(sandbox, ANN, BOB, "before")
    device = await linked(sandbox, BOB)
    async with Online(sandbox, device) as other:
        # When Ann writes, her client learns that its list is old, and uses the new one from then on
        await write(sandbox, ANN, BOB, "by the old list")
        sent = await write(sandbox, ANN, BOB, "by the new list")
        received = await other.expect(carries(sent["id"]))
        assert received.text("notify") == "Ann"
        # And what Bob writes reaches his own other device too
        sent = await write(sandbox, BOB, ANN, "to Ann")
        copy = await other.expect(carries(sent["id"]))
        assert copy.jid("peer_recipient_pn") == JID(ANN, "s.whatsapp.net")
    await sandbox.request("DELETE", f"/phones/{BOB}/devices/{device.pn.device}")


async def test_persons_come_back_when_their_process_dies(sandbox: SandboxProcess) -> None:
    before = await sandbox.ok("GET", f"/contacts/{BOB}/messages")
    process = await sandbox.people()
    process.kill()
    await asyncio.to_thread(process.wait, 30)
    await sandbox.ok("PUT", f"/contacts/{ANN}", {"name": "Ann", "kind": "person"})
    await sandbox.ok("PUT", f"/contacts/{BOB}", {"name": "Bob", "kind": "person"})
    assert await sandbox.ok("GET", f"/contacts/{BOB}/messages") == before
    sent = await write(sandbox, ANN, BOB, "back again")
    await heard(sandbox, BOB, sent["id"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_persons_come_back_when_the_network_does(sandbox: SandboxProcess, how: signal.Signals) -> None:
    wire, before = sandbox.wire, await sandbox.ok("GET", f"/contacts/{BOB}/messages")
    status = await sandbox.end(how)  # fails if a process is left behind
    assert status == (-signal.SIGKILL if how is signal.SIGKILL else 0)
    await sandbox.start()
    assert sandbox.wire == wire
    for number in (ANN, BOB):
        await online(sandbox, number, expected=True)
    assert await sandbox.ok("GET", f"/contacts/{BOB}/messages") == before
    devices = (await sandbox.ok("GET", f"/phones/{BOB}"))["devices"]
    assert [device["device"] for device in devices] == [1]
    for sender, receiver in ((ANN, BOB), (BOB, ANN)):
        sent = await write(sandbox, sender, receiver, f"after {how.name}")
        await heard(sandbox, receiver, sent["id"])
