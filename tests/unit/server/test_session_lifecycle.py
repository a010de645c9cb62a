"""A paired session: connecting, staying connected, ending."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, WagateError
from server.sessions.state import Status
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.port import Ending
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import one_turn, until

NUMBER = "628110000001"
OTHER = "628110000002"
ADA = "628120000001"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's waits between attempts, shortened: their lengths have a test of their own."""
    monkeypatch.setattr("server.sessions.backoff.FIRST_SECONDS", 0.01)
    monkeypatch.setattr("server.sessions.backoff.CAP_SECONDS", 0.02)
    monkeypatch.setattr("server.sessions.patience.RECOVERY_SECONDS", 0.02)
    monkeypatch.setattr("server.sessions.patience.LOOK_SECONDS", 0.01)


def online(network: MemoryNetwork) -> int:
    """Clients that nobody has stopped."""
    return sum(not client.is_stopped for client in network.clients)


async def test_a_stopped_session_is_not_connected_and_starts_again(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    view = await node.sessions.stop(session)
    assert (view.status, view.gateway_id, view.record.wanted) == (Status.STOPPED, "", False)
    assert online(network) == 0
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    assert (await node.record(session.id)).wanted


async def test_starting_what_runs_and_stopping_what_does_not_changes_nothing(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    for _ in range(3):
        await node.sessions.start(session)
    assert len(network.clients) == 1
    for _ in range(3):
        await node.sessions.stop(session)
    assert await node.status(session.id) is Status.STOPPED


async def test_a_restart_makes_a_new_client(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    await node.sessions.restart(session)
    await node.status_is(session.id, Status.WORKING)
    assert [client.is_stopped for client in network.clients] == [True, False]


async def test_starts_stops_and_restarts_at_once_end_in_one_client_or_none(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    for _ in range(10):
        operations: list[Coroutine[Any, Any, Any]] = [
            node.sessions.start(session),
            node.sessions.stop(session),
            node.sessions.restart(session),
            node.sessions.start(session),
            node.sessions.restart(session),
            node.sessions.stop(session),
        ]
        async with asyncio.timeout(10):
            await asyncio.gather(*operations)
        assert online(network) <= 1
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    assert online(network) == 1


async def test_a_caller_who_goes_away_leaves_no_second_client_behind(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a session whose stop takes its time and whose caller gives up meanwhile
    session = await node.working(NUMBER)
    network.stops_may_end.clear()
    stopping = asyncio.create_task(node.sessions.stop(session))
    await until(lambda: network.stops == 1, "the client is being stopped")
    stopping.cancel()
    # when it is started again at once
    starting = asyncio.create_task(node.sessions.start(session))
    await one_turn()
    assert len(network.clients) == 1
    network.stops_may_end.set()
    await starting
    # then it comes to work, with one client, of which its node knows
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await node.status_is(session.id, Status.WORKING)
    await until(lambda: online(network) == 1, "one client")
    assert (await node.sessions.stop(session)).status is Status.STOPPED
    assert online(network) == 0


async def test_sessions_connect_again_after_a_restart_of_the_node(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network) as first:
        kept = await first.working(NUMBER)
        stopped = await first.working(OTHER)
        await first.sessions.stop(stopped)
    async with memory_node(tmp_path, network) as second:
        await second.status_is(kept.id, Status.WORKING)
        assert await second.status(stopped.id) is Status.STOPPED


async def test_a_lost_connection_that_comes_back_by_itself_is_kept(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.drop(NUMBER)
    await node.status_is(session.id, Status.STARTING)
    with pytest.raises(WagateError) as caught:
        await node.send(session, ADA, "hello")
    assert caught.value.code is Code.CONFLICT
    assert caught.value.details == {"status": "starting"}
    network.restore(NUMBER)
    await node.status_is(session.id, Status.WORKING)
    assert len(network.clients) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_does_not_come_back_is_made_anew(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.drop(NUMBER)
    await until(lambda: len(network.clients) == 2, "a new client")
    await node.status_is(session.id, Status.WORKING)
    assert online(network) == 1


@pytest.mark.usefixtures("impatient")
async def test_while_the_network_is_down_no_client_is_wasted(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.up = False
    network.drop(NUMBER)
    asked = network.probes
    await until(lambda: network.probes > asked + 20, "the network is looked for")
    assert len(network.clients) == 1
    assert await node.status(session.id) is Status.STARTING
    network.up = True
    await node.status_is(session.id, Status.WORKING)


@pytest.mark.usefixtures("impatient")
async def test_a_node_that_starts_without_a_network_connects_when_it_comes(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network) as first:
        session = await first.working(NUMBER)
    network.up = False
    async with memory_node(tmp_path, network) as second:
        assert await second.status(session.id) is Status.STARTING
        network.up = True
        await second.status_is(session.id, Status.WORKING)


@pytest.mark.usefixtures("impatient")
async def test_failed_connects_are_tried_again(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    network.failing_connects = 3
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    assert network.failing_connects == 0
    assert online(network) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_never_logs_in_is_replaced(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sessions.patience.LOGIN_SECONDS", 0.02)
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    network.silent_logins = 2
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    assert network.silent_logins == 0


async def test_an_unlinked_session_is_logged_out_and_can_be_paired_again(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.unlink(NUMBER)
    await node.status_is(session.id, Status.LOGGED_OUT)
    record = await node.record(session.id)
    assert (record.wa_jid, record.wa_lid, record.phone_number, record.wanted) == (None, None, None, False)
    await until(lambda: not (node.settings.devices_dir / session.id).exists(), "the device's keys are gone")
    await node.sessions.start(record)
    await node.status_is(session.id, Status.SCAN_QR_CODE)


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.LOGGED_OUT])
async def test_an_ended_session_stays_down_until_somebody_starts_it(
    node: MemoryNode, network: MemoryNetwork, ending: Ending
) -> None:
    session = await node.working(NUMBER)
    network.end(NUMBER, ending)
    await node.status_is(session.id, Status.FAILED)
    record = await node.record(session.id)
    assert (record.ending, record.wanted, record.wa_jid) == (ending, False, session.wa_jid)
    assert online(network) == 0
    network.account(NUMBER).login = None
    await node.sessions.start(record)
    await node.status_is(session.id, Status.WORKING)
    assert (await node.record(session.id)).ending is None


async def test_a_session_whose_device_is_lost_is_logged_out(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    for file in (node.settings.devices_dir / session.id).iterdir():
        file.unlink()
    await node.sessions.start(session)
    await node.status_is(session.id, Status.LOGGED_OUT)


async def test_logging_out_unlinks_the_device_and_keeps_the_session(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    view = await node.sessions.logout(session)
    assert view.status is Status.LOGGED_OUT
    assert network.account(NUMBER).linked == set()
    assert await node.repository.find(session.id) == view.record
    # and again is a no-op
    assert (await node.sessions.logout(view.record)).status is Status.LOGGED_OUT


async def test_a_session_that_is_not_connected_cannot_be_logged_out(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    with pytest.raises(WagateError) as caught:
        await node.sessions.logout(await node.record(session.id))
    assert caught.value.code is Code.CONFLICT
    assert network.account(NUMBER).linked


async def test_a_logout_that_whatsapp_did_not_confirm_changes_nothing(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.up = False
    with pytest.raises(WagateError) as caught:
        await node.sessions.logout(session)
    assert caught.value.code is Code.WHATSAPP_ERROR
    network.up = True
    assert await node.status(session.id) is Status.WORKING
    assert network.account(NUMBER).linked


async def test_deleting_a_session_leaves_nothing_of_it(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    network.write(ADA, NUMBER, "hello")
    assert await node.bodies(session, ADA, 1) == ["hello"]
    await node.sessions.delete(session)
    with pytest.raises(WagateError) as caught:
        await node.record(session.id)
    assert caught.value.code is Code.NOT_FOUND
    assert network.account(NUMBER).linked == set()
    assert online(network) == 0
    assert not (node.settings.devices_dir / session.id).exists()
    assert await node.stored(session, ADA) == []


async def test_deleting_a_session_ends_its_pairing(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create(start=True)
    await node.sessions.delete(record)
    assert not network.attempts[0].is_held


async def test_a_deleted_session_cannot_be_brought_back_by_a_call_that_was_under_way(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given calls that found their session while it was still there
    paired, unpaired = await node.working(NUMBER), await node.create()
    for record in (paired, unpaired):
        await node.sessions.delete(record)
        # when they go on after its deletion
        for operation in (
            node.sessions.start,
            node.sessions.restart,
            node.sessions.code,
            node.sessions.logout,
        ):
            await asyncio.gather(operation(record), return_exceptions=True)
            # then nobody finds it
            with pytest.raises(WagateError) as caught:
                await node.record(record.id)
            assert caught.value.code is Code.NOT_FOUND
    # and nothing runs
    assert online(network) == 0
    assert not any(attempt.is_held for attempt in network.attempts)


async def test_deleting_while_others_start_it_ends_without_it(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    for _ in range(5):
        record = await node.create()
        async with asyncio.timeout(10):
            await asyncio.gather(
                node.sessions.start(record),
                node.sessions.delete(record),
                node.sessions.restart(record),
                node.sessions.code(record),
                return_exceptions=True,
            )
        with pytest.raises(WagateError):
            await node.record(record.id)
        assert not any(attempt.is_held for attempt in network.attempts)
        assert not (node.settings.devices_dir / record.id).exists()


async def test_two_sessions_of_one_device_do_not_fight(node: MemoryNode, network: MemoryNetwork) -> None:
    # given a copy of a device's keys in another session
    session = await node.working(NUMBER)
    twin = await node.create()
    source, copy = (node.settings.devices_dir / record.id for record in (session, twin))
    copy.mkdir(parents=True)
    for file in source.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    await node.repository.update(twin.id, {"wa_jid": session.wa_jid, "phone_number": NUMBER})
    # when it connects
    await node.sessions.start(await node.record(twin.id))
    # then it has replaced the first one, which stays away
    await node.status_is(twin.id, Status.WORKING)
    await node.status_is(session.id, Status.FAILED)
    assert (await node.record(session.id)).ending == "replaced"
    assert online(network) == 1
