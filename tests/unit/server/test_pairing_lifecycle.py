"""Pairing: from an empty session to one that works."""

import asyncio

import pytest

from server.errors import Code, WagateError
from server.sessions.state import Status
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.pairing_port import PairingFailed, PairingFailure
from tests.support.memory_node import PAIRINGS, MemoryNode
from tests.support.waiting import one_turn, until, until_async

NUMBER = "628110000001"


async def shown_code(node: MemoryNode, session_id: str) -> str:
    """Asks for the code until there is one, as a page that shows it does."""
    found: list[str] = []

    async def ask() -> bool:
        try:
            found.append((await node.sessions.code(await node.record(session_id))).code)
        except WagateError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return False
        return True

    await until_async(ask, "a code")
    return found[-1]


async def test_a_new_session_is_stopped_and_belongs_to_its_maker(node: MemoryNode) -> None:
    record = await node.create("shop")
    view = await node.sessions.view(record)
    assert (view.status, view.gateway_id) == (Status.STOPPED, "")
    assert (record.label, record.created_by, record.organization_id) == ("shop", "tester", "org")
    assert (record.rate_per_min, record.rate_per_hour) == (20, 600)


async def test_a_session_is_paired_by_its_code_and_then_works(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a session whose pairing began with its creation
    record = await node.create(start=True)
    code = await shown_code(node, record.id)
    assert await node.status(record.id) is Status.SCAN_QR_CODE
    # when the phone scans the code
    network.scan(code, NUMBER)
    # then it works by itself, and knows who it is
    await node.status_is(record.id, Status.WORKING)
    paired = await node.record(record.id)
    account = network.account(NUMBER)
    assert (paired.wa_jid, paired.wa_lid) == (str(account.jid), str(account.lid))
    assert (paired.phone_number, paired.wanted) == (NUMBER, True)
    assert (await node.sessions.view(paired)).gateway_id == "node-1"
    # and since when, and its attempt is over
    await until_async(lambda: _was_connected(node, record.id), "the time of its connection is stored")
    assert not any(attempt.is_held for attempt in network.attempts)


async def _was_connected(node: MemoryNode, session_id: str) -> bool:
    return (await node.record(session_id)).last_connected_at is not None


async def test_asking_for_a_code_begins_one_attempt_however_often_it_is_asked(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    record = await node.create()
    asked = await asyncio.gather(*(node.sessions.code(record) for _ in range(10)), return_exceptions=True)
    assert all(getattr(answer, "code", None) for answer in asked)
    await shown_code(node, record.id)
    assert len(network.attempts) == 1


async def test_codes_rotate_and_the_old_one_is_good_no_more(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create(start=True)
    first = await shown_code(node, record.id)
    second = network.attempts[0].rotate()
    await until_async(lambda: _is_shown(node, record.id, second), "the next code")
    with pytest.raises(ValueError, match="nobody shows"):
        network.scan(first, NUMBER)
    network.scan(second, NUMBER)
    await node.status_is(record.id, Status.WORKING)


async def _is_shown(node: MemoryNode, session_id: str, code: str) -> bool:
    return await shown_code(node, session_id) == code


async def test_an_expired_code_is_not_given_out(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create(start=True)
    await shown_code(node, record.id)
    network.attempts[0].rotate(milliseconds=-1)

    async def refused() -> bool:
        try:
            await node.sessions.code(record)
        except WagateError as error:
            return error.code is Code.NOT_FOUND
        return False

    await until_async(refused, "the expired code is gone")


async def test_nobody_scans_and_the_session_is_stopped_not_failed(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    record = await node.create(start=True)
    await shown_code(node, record.id)
    network.attempts[0].end(PairingFailed(PairingFailure.EXPIRED))
    await node.status_is(record.id, Status.STOPPED)
    assert (await node.record(record.id)).ending is None
    # and asking again begins anew
    network.scan(await shown_code(node, record.id), NUMBER)
    await node.status_is(record.id, Status.WORKING)


@pytest.mark.parametrize(
    "reason", [reason for reason in PairingFailure if reason is not PairingFailure.EXPIRED]
)
async def test_a_failed_pairing_says_why_until_the_next_one(
    node: MemoryNode, network: MemoryNetwork, reason: PairingFailure
) -> None:
    record = await node.create(start=True)
    await shown_code(node, record.id)
    network.attempts[0].end(PairingFailed(reason))
    await node.status_is(record.id, Status.FAILED)
    assert (await node.record(record.id)).ending == reason
    network.scan(await shown_code(node, record.id), NUMBER)
    await node.status_is(record.id, Status.WORKING)
    assert (await node.record(record.id)).ending is None


async def test_without_a_network_pairing_fails(node: MemoryNode, network: MemoryNetwork) -> None:
    network.up = False
    record = await node.create(start=True)
    await node.status_is(record.id, Status.FAILED)
    assert (await node.record(record.id)).ending == "unreachable"


async def test_a_paired_session_has_no_code(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    with pytest.raises(WagateError, match="paired already") as caught:
        await node.sessions.code(session)
    assert caught.value.code is Code.CONFLICT
    assert caught.value.details == {"status": "working"}


async def test_stopping_a_session_ends_its_pairing(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create(start=True)
    await shown_code(node, record.id)
    view = await node.sessions.stop(record)
    assert view.status is Status.STOPPED
    assert not network.attempts[0].is_held
    with pytest.raises(ValueError, match="nobody shows"):
        network.scan("memory,1", NUMBER)


async def test_a_pairing_that_is_stopped_at_once_holds_no_place(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    record = await node.create()
    for _ in range(PAIRINGS + 1):
        await node.sessions.start(record)
        view = await node.sessions.stop(record)
        assert view.status is Status.STOPPED
    assert not any(attempt.is_held for attempt in network.attempts)


async def test_too_many_pairings_are_refused_until_one_ends(node: MemoryNode, network: MemoryNetwork) -> None:
    running = [await node.create(start=True) for _ in range(PAIRINGS)]
    refused = await node.create()
    with pytest.raises(WagateError) as caught:
        await node.sessions.start(refused)
    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.retry_after is not None
    assert await node.status(refused.id) is Status.STOPPED
    await node.sessions.stop(running[0])
    await node.sessions.start(refused)
    network.scan(await shown_code(node, refused.id), NUMBER)
    await node.status_is(refused.id, Status.WORKING)


async def test_an_attempt_begins_without_leftovers(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create()
    device = node.settings.devices_dir / record.id
    device.mkdir(parents=True)
    (device / "device.db").write_text("of an attempt that nobody scanned")
    await node.sessions.start(record)
    assert list(device.iterdir()) == []
    assert network.attempts[0].device == device


async def test_the_phone_is_linked_even_when_the_node_stops_that_moment(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a code that is scanned while the session is being stopped
    record = await node.create(start=True)
    network.scan(await shown_code(node, record.id), NUMBER)
    await one_turn()
    await node.sessions.stop(record)
    # then the session is either paired or its attempt is over; it never forgets a linked device
    stopped = await node.record(record.id)
    stored = await node.repository.find(record.id)
    assert stored == stopped
    if stopped.wa_jid is not None:
        await node.sessions.start(stopped)
        await node.status_is(record.id, Status.WORKING)
    await until(lambda: not any(attempt.is_held for attempt in network.attempts), "no attempt is left")
