"""Each kind of fault does what it says, as a client sees it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio

from sandbox.stanza import Node
from tests.wire.sandbox_process import SandboxProcess, eventually
from tests.wire.wire_client import Identity, Online, WireClient, acknowledges, carries, linked, text_to

ANN, BOB = "491740001", "491740002"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ann(network: SandboxProcess) -> Identity:
    return await linked(network, ANN)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bob(network: SandboxProcess) -> Identity:
    return await linked(network, BOB)


@asynccontextmanager
async def both(
    sandbox: SandboxProcess, ann: Identity, bob: Identity
) -> AsyncIterator[tuple[WireClient, WireClient]]:
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        yield sender, receiver


async def got(client: WireClient, message_id: str) -> None:
    """Takes a message and acknowledges it, so that it waits no longer."""
    message = await client.expect(carries(message_id))
    await client.send(Node("ack", {"class": "message", "id": message_id, "to": message.attrs["from"]}))


async def test_ack_drop(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="ack_drop", number=ANN, count=1)
        await sender.send(text_to(bob, "F1"))
        await sender.send(text_to(bob, "F2"))
        # The second one's acknowledgement comes, the first one's never does, and both are delivered.
        await sender.expect(acknowledges("F2"))
        assert not [node for node in sender.unread if node.tag == "ack"]
        await got(receiver, "F1")
        await got(receiver, "F2")
    assert await sandbox.ok("GET", "/faults") == []


async def test_ack_delay(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="ack_delay", number=ANN, delay=0.5)
        started = time.monotonic()
        await sender.send(text_to(bob, "F3"))
        await got(receiver, "F3")
        delivered = time.monotonic()
        await sender.expect(acknowledges("F3"))
    assert delivered - started < 0.5
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize("code", [463, 479])
async def test_ack_error(sandbox: SandboxProcess, ann: Identity, bob: Identity, code: int) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="ack_error", number=ANN, code=code, count=1)
        await sender.send(text_to(bob, f"F4{code}"))
        assert (await sender.expect(acknowledges(f"F4{code}"))).text("error") == str(code)
        await sender.send(text_to(bob, f"F5{code}"))
        assert not (await sender.expect(acknowledges(f"F5{code}"))).text("error")
        await got(receiver, f"F5{code}")
        assert not [node for node in receiver.unread if node.tag == "message"]


async def test_silence(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        # Given a network that is silent to one account
        await sandbox.fault(kind="silence", number=BOB)
        await receiver.send(Node("iq", {"xmlns": "w:p", "type": "get", "id": "ping"}))
        await sender.send(text_to(bob, "F6"))
        await sender.expect(acknowledges("F6"))
        with pytest.raises(TimeoutError):
            await receiver.expect(lambda _: True, within=0.5)
        # When it speaks again, then what waited comes, and what was said into the silence stays unanswered
        await sandbox.heal()
        await got(receiver, "F6")
        assert not [node for node in receiver.unread if node.tag == "iq"]


async def test_freeze(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        # Given a connection over which nothing goes
        await sandbox.fault(kind="freeze", number=BOB)
        await receiver.send(Node("iq", {"xmlns": "w:p", "type": "get", "id": "late"}))
        await sender.send(text_to(bob, "FF"))
        await sender.expect(acknowledges("FF"))
        with pytest.raises(TimeoutError):
            await receiver.expect(lambda _: True, within=0.5)
        # When it thaws, then all that was said meanwhile arrives, both ways
        await sandbox.heal()
        await receiver.expect(lambda node: node.text("id") == "late")
        await got(receiver, "FF")


async def test_a_frozen_account_comes_as_far_as_its_login(sandbox: SandboxProcess, ann: Identity) -> None:
    await sandbox.fault(kind="freeze", number=ANN)
    async with WireClient(sandbox, ann) as client:
        await client.connect(ann.login())
        with pytest.raises(TimeoutError):
            await client.expect(lambda _: True, within=0.3)
        await sandbox.heal()
        await client.expect(lambda node: node.tag == "success")


@pytest.mark.parametrize("stage", ["tunnel", "upgrade", "handshake"])
async def test_a_frozen_network_takes_connections_and_leaves_them_there(
    sandbox: SandboxProcess, ann: Identity, stage: str
) -> None:
    await sandbox.fault(kind="freeze", stage=stage)
    async with WireClient(sandbox, ann) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.connect(ann.login())
    await sandbox.heal()
    async with Online(sandbox, ann):
        pass


async def test_ping_drop(sandbox: SandboxProcess, ann: Identity) -> None:
    async with Online(sandbox, ann) as client:
        await sandbox.fault(kind="ping_drop", number=ANN, count=1)
        await client.send(Node("iq", {"xmlns": "w:p", "type": "get", "id": "lost"}))
        # Everything else is answered, and so is the next one.
        assert (await client.query("blocklist", "get")).text("type") == "result"
        assert (await client.query("w:p", "get")).text("type") == "result"
        assert not [node for node in client.unread if node.text("id") == "lost"]


async def test_lag(sandbox: SandboxProcess, ann: Identity) -> None:
    async with Online(sandbox, ann) as client:
        await sandbox.fault(kind="lag", number=ANN, delay=0.4)
        started = time.monotonic()
        for name in ("one", "two"):
            await client.send(Node("iq", {"xmlns": "w:p", "type": "get", "id": name}))
        answers = [(await client.expect(lambda node: node.tag == "iq")).text("id") for _ in range(2)]
        assert time.monotonic() - started >= 0.4
        assert answers == ["one", "two"]


async def test_cut_now(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="cut", number=ANN)
        await sender.closed()
        assert not sender.unread
        assert (await receiver.query("w:p", "get")).text("type") == "result"


@pytest.mark.parametrize("delivered", [True, False])
async def test_cut_while_sending(
    sandbox: SandboxProcess, ann: Identity, bob: Identity, *, delivered: bool
) -> None:
    name = f"F7{delivered}".upper()
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="cut", when="next_message", number=ANN, delivered=delivered, count=1)
        await sender.send(text_to(bob, name))
        await sender.closed()
        assert not [node for node in sender.unread if node.tag == "ack"]
        # The sender comes back and sends it again: it has arrived once, in either case.
        async with Online(sandbox, ann) as again:
            if not delivered:
                assert not [node for node in receiver.unread if node.tag == "message"]
            await again.send(text_to(bob, name))
            await again.expect(acknowledges(name))
        await got(receiver, name)
        await receiver.query("w:p", "get")
        assert not [node for node in receiver.unread if node.tag == "message"]


async def test_refuse(sandbox: SandboxProcess, ann: Identity) -> None:
    async with Online(sandbox, ann) as connected:
        await sandbox.fault(kind="refuse")
        with pytest.raises(aiohttp.ClientError):
            async with WireClient(sandbox, ann) as refused:
                await refused.log_in()
        # Who is connected stays so.
        assert (await connected.query("w:p", "get")).text("type") == "result"
    await sandbox.heal()
    async with Online(sandbox, ann):
        pass


async def test_refuse_one_account(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    await sandbox.fault(kind="refuse", number=ANN)
    async with WireClient(sandbox, ann) as refused:
        await refused.connect(ann.login())
        await refused.closed()
        assert not refused.unread
    async with Online(sandbox, bob):
        await sandbox.heal()
    async with Online(sandbox, ann):
        pass


@pytest.mark.parametrize(
    ("code", "attrs", "conflict"),
    [
        (503, {"code": "503"}, None),
        (515, {"code": "515"}, None),
        ("replaced", {}, "replaced"),
        (401, {"code": "401"}, "device_removed"),
    ],
)
async def test_stream_error(
    sandbox: SandboxProcess, code: int | str, attrs: dict[str, str], conflict: str | None
) -> None:
    number = "491740003"
    eve = await linked(sandbox, number)
    async with Online(sandbox, eve) as client:
        await sandbox.fault(kind="stream_error", number=number, code=code)
        error = await client.expect(lambda node: node.tag == "stream:error")
        assert error.attrs == attrs
        assert [child.attrs for child in error.children] == ([{"type": conflict}] if conflict else [])
        await client.closed()
    # A removed device is gone; after the others the client may come back.
    async with WireClient(sandbox, eve) as client:
        assert (await client.log_in()).tag == ("failure" if code == 401 else "success")


@pytest.mark.parametrize(
    ("fault", "attrs"),
    [
        ({"code": 403}, {"reason": "403"}),
        ({"code": 405}, {"reason": "405"}),
        ({"code": 402, "expire": 77, "ban": 104}, {"reason": "402", "expire": "77", "code": "104"}),
    ],
)
async def test_connect_failure(
    sandbox: SandboxProcess, ann: Identity, fault: dict[str, int], attrs: dict[str, str]
) -> None:
    await sandbox.fault(kind="connect_failure", number=ANN, count=1, **fault)
    async with WireClient(sandbox, ann) as client:
        refusal = await client.log_in()
        assert (refusal.tag, refusal.attrs) == ("failure", {"location": "sandbox", **attrs})
        await client.closed()
    async with Online(sandbox, ann):
        assert await sandbox.ok("GET", "/faults") == []


async def test_duplicate(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="duplicate", number=BOB, count=1)
        await sender.send(text_to(bob, "F8"))
        first = await receiver.expect(carries("F8"))
        await got(receiver, "F8")
        assert first.text("id") == "F8"
        await sender.send(text_to(bob, "F9"))
        await got(receiver, "F9")


async def test_reorder(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    async with both(sandbox, ann, bob) as (sender, receiver):
        await sandbox.fault(kind="reorder", number=BOB, count=1)
        for name in ("FA", "FB", "FC"):
            await sender.send(text_to(bob, name))
        order = [(await receiver.expect(lambda node: node.tag == "message")).text("id") for _ in range(3)]
        assert order == ["FB", "FA", "FC"]
        # A message that nothing follows is not kept back for ever.
        await sandbox.fault(kind="reorder", number=BOB, count=1)
        await sender.send(text_to(bob, "FD"))
        await got(receiver, "FD")


async def test_slow_offline(sandbox: SandboxProcess, ann: Identity) -> None:
    eve = await linked(sandbox, "491740004")
    async with Online(sandbox, ann) as sender:
        await sender.send(text_to(eve, "FE"))
        await sender.expect(acknowledges("FE"))
    await sandbox.fault(kind="slow_offline", number="491740004", delay=0.5)
    async with WireClient(sandbox, eve) as client:
        await client.log_in()
        await client.activate()
        started = time.monotonic()
        await client.expect(carries("FE"))
    assert time.monotonic() - started >= 0.4


async def test_no_lid(sandbox: SandboxProcess, ann: Identity, bob: Identity) -> None:
    await sandbox.fault(kind="no_lid", number=ANN, count=1)
    user = Node("user", {"jid": bob.pn.account})
    parts = [Node("query", {}, [Node("lid")]), Node("list", {}, [user])]
    query = [Node("usync", {"mode": "query"}, parts)]
    async with Online(sandbox, ann) as client:
        lids = []
        for _ in range(2):
            answer = await client.query("usync", "get", query)
            listed = answer.children[0].child("list")
            assert listed is not None
            lids.append([child.tag for child in listed.children[0].children])
    assert lids == [[], ["lid"]]


async def test_faults_are_listed_until_they_end(sandbox: SandboxProcess) -> None:
    await sandbox.fault(kind="silence", number="491749999", seconds=0.2)
    await sandbox.fault(kind="no_lid", number="491749999")
    listed = await sandbox.ok("GET", "/faults")
    assert [fault["kind"] for fault in listed] == ["silence", "no_lid"]

    async def ended() -> bool:
        return [fault["kind"] for fault in await sandbox.ok("GET", "/faults")] == ["no_lid"]

    await eventually(ended, "the first fault ends")
    await sandbox.heal()
    assert await sandbox.ok("GET", "/faults") == []


async def test_a_flood_into_silence_stays_unanswered(sandbox: SandboxProcess, bob: Identity) -> None:
    await sandbox.fault(kind="silence", number=BOB)
    async with WireClient(sandbox, bob) as client:
        await client.connect(bob.login())
        ping = Node("iq", {"xmlns": "w:p", "type": "get", "id": "ping"})
        before = (await sandbox.ok("GET", "/stats"))["stanzas"]["in"]
        for _ in range(500):
            await client.send(ping)

        async def read() -> bool:
            return bool((await sandbox.ok("GET", "/stats"))["stanzas"]["in"] >= before + 500)

        await eventually(read, "the network has read all")
        await sandbox.heal()
        answer = await client.query("w:p", "get")
    assert answer.text("type") == "result"
    assert not [node for node in client.unread if node.text("id") == "ping"]
