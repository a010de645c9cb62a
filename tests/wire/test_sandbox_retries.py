"""Messages that arrive damaged: the receiving client asks for them again, the sending one encrypts anew."""

import time

import pytest
import pytest_asyncio

from sandbox.stanza import Node
from tests.wire.persons import group_of, heard, person, write
from tests.wire.sandbox_process import SandboxProcess, eventually
from tests.wire.wire_client import Online, WireClient, acknowledges, carries, linked, text_to

ANN, BOB = "491770001", "491770002"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def persons(network: SandboxProcess) -> None:
    for number, name in ((ANN, "Ann"), (BOB, "Bob")):
        await person(network, number, name)


async def retries(sandbox: SandboxProcess, number: str, message_id: str) -> int:
    """How many times a person was asked for a message again."""
    receipts = await sandbox.ok("GET", f"/contacts/{number}/receipts")
    return sum(message_id in receipt["ids"] and receipt["type"] == "retry" for receipt in receipts)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_damaged_message_is_asked_for_until_it_can_be_read(
    sandbox: SandboxProcess, times: int
) -> None:
    # Given two who have spoken before
    await heard(sandbox, BOB, (await write(sandbox, ANN, BOB, "first"))["id"])
    await heard(sandbox, ANN, (await write(sandbox, BOB, ANN, "answer"))["id"])
    # When a message is damaged, and what is sent in its place perhaps as well
    await sandbox.fault(kind="corrupt", number=BOB, count=times)
    sent = await write(sandbox, ANN, BOB, "damaged")
    # Then it is asked for as often, and arrives as the same message
    message = await heard(sandbox, BOB, sent["id"])
    assert (message["text"], message["timestamp"]) == ("damaged", sent["timestamp"])
    assert await retries(sandbox, ANN, sent["id"]) == times
    assert await sandbox.ok("GET", "/faults") == []


async def test_a_damaged_message_in_a_group_is_asked_for_as_well(sandbox: SandboxProcess) -> None:
    group = await group_of(sandbox, ANN, BOB)
    await heard(sandbox, BOB, (await write(sandbox, ANN, group["jid"], "first"))["id"])
    await sandbox.fault(kind="corrupt", number=BOB, count=1)
    sent = await write(sandbox, ANN, group["jid"], "damaged")
    message = await heard(sandbox, BOB, sent["id"])
    assert (message["text"], message["chat"]) == ("damaged", group["jid"])
    assert await retries(sandbox, ANN, sent["id"]) == 1


async def test_a_message_that_a_device_does_not_get(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491770003"), await linked(sandbox, "491770004")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        await sandbox.fault(kind="unavailable", number="491770004", count=1)
        await sender.send(text_to(bob, "U1"))
        message = await receiver.expect(carries("U1"))
    assert message.child("enc") is None
    unavailable = message.child("unavailable")
    assert unavailable is not None
    assert unavailable.attrs == {"type": "view_once"}


async def test_what_waited_can_come_slowly_and_what_is_new_comes_behind_it(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491770005"), await linked(sandbox, "491770006")
    async with Online(sandbox, ann) as sender, WireClient(sandbox, bob) as receiver:
        # Given three messages that wait
        for name in ("S1", "S2", "S3"):
            await sender.send(text_to(bob, name))
            await sender.expect(acknowledges(name))
        await sandbox.fault(kind="slow_offline", number="491770006", delay=0, pause=0.2, count=1)
        # When the device comes back and another one is sent meanwhile
        await receiver.log_in()
        await receiver.activate()
        started = time.monotonic()
        await receiver.expect(carries("S1"))
        await sender.send(text_to(bob, "S4"))
        # Then they come one by one, and the device is told when it has caught up
        order: list[str] = []

        def in_order(node: Node) -> bool:
            if node.tag == "message":
                order.append(node.text("id"))
            elif node.child("offline") is not None:
                order.append("offline")
            return order[-1:] == ["S4"]

        await receiver.expect(in_order)
    assert time.monotonic() - started >= 0.4
    assert order == ["S2", "S3", "offline", "S4"]


async def test_damage_does_not_change_what_others_get(sandbox: SandboxProcess) -> None:
    eve = "491770007"
    await person(sandbox, eve, "Eve")
    group = await group_of(sandbox, ANN, BOB, eve)
    await sandbox.fault(kind="corrupt", number=eve, count=1)
    sent = await write(sandbox, ANN, group["jid"], "to both")
    for number in (BOB, eve):
        assert (await heard(sandbox, number, sent["id"]))["text"] == "to both"

    async def once() -> bool:
        return await retries(sandbox, ANN, sent["id"]) == 1

    await eventually(once, "one of them has asked again")
