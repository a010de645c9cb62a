"""What readers of the event log are told of sessions."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, WagateError
from server.sessions import device_folder
from server.sessions.endings import plain
from server.sessions.state import Status
from server.store.event_log import EventLog, StoredEvent
from server.store.events import BEFORE_ALL
from server.store.failures import DatabaseAwayError
from server.store.records import Session
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.pairing_port import PairingFailed, PairingFailure
from server.whatsapp.port import Ending
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import one_turn, until, until_async

NUMBER = "628110000001"

STARTED = [("stopped", "starting"), ("starting", "working")]
"""What is told of a paired session that is started."""


async def told(node: MemoryNode, session_id: str, name: str) -> list[StoredEvent]:
    """The events of one name about a session, in the log's order."""
    page = await EventLog(node.database).page("org", after=BEFORE_ALL, limit=1000)
    return [event for event in page.events if event.session_id == session_id and event.name == name]


async def moves(node: MemoryNode, session_id: str) -> list[tuple[object, object]]:
    """From where to where the session went, as it was told."""
    found = [event.payload for event in await told(node, session_id, "session.status")]
    return [(payload["previous"], payload["status"]) for payload in found]


async def moves_are(node: MemoryNode, session_id: str, expected: list[tuple[str, str]]) -> None:
    """Waits until just these moves are told."""

    async def all_told() -> bool:
        return len(await moves(node, session_id)) >= len(expected)

    await until_async(all_told, f"{expected[-1]} is told")
    assert await moves(node, session_id) == expected


async def last_payload(node: MemoryNode, session_id: str) -> Mapping[str, object]:
    return (await told(node, session_id, "session.status"))[-1].payload


async def test_a_session_that_is_created_stands_nowhere_new(node: MemoryNode) -> None:
    record = await node.create()
    await node.sessions.stop(record)
    assert await moves(node, record.id) == []


async def test_every_step_of_a_pairing_is_told_with_its_codes(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a session that shows a code, and then another one
    record = await node.create(start=True)
    await node.status_is(record.id, Status.SCAN_QR_CODE)
    second = network.attempts[0].rotate()

    async def both() -> bool:
        return len(await told(node, record.id, "auth.qr")) >= 2

    await until_async(both, "both codes are told")
    # when the second one is scanned
    network.scan(second, NUMBER)
    # then each step and each code was told, whole
    paired = [("stopped", "starting"), ("starting", "scan_qr_code"), ("scan_qr_code", "starting")]
    await moves_are(node, record.id, [*paired, ("starting", "working")])
    codes = await told(node, record.id, "auth.qr")
    assert [event.payload["code"] for event in codes][-1] == second
    assert [set(event.payload) for event in codes] == [{"code", "expiresAt"}] * 2
    account = network.account(NUMBER)
    assert await last_payload(node, record.id) == {
        "status": "working",
        "previous": "starting",
        "reason": None,
        "message": None,
        "waJid": str(account.jid),
        "waLid": str(account.lid),
        "gatewayId": "node-1",
    }
    waiting = (await told(node, record.id, "session.status"))[1].payload
    assert (waiting["waJid"], waiting["gatewayId"]) == (None, "node-1")
    assert "scans it" in str(waiting["message"])


async def test_codes_that_ran_out_are_a_stop_and_a_new_pairing_shows_new_ones(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    record = await node.create(start=True)
    await node.status_is(record.id, Status.SCAN_QR_CODE)
    network.attempts[0].end(PairingFailed(PairingFailure.EXPIRED))
    shown = [("stopped", "starting"), ("starting", "scan_qr_code"), ("scan_qr_code", "stopped")]
    await moves_are(node, record.id, shown)
    assert (await last_payload(node, record.id))["gatewayId"] == ""
    await node.sessions.start(await node.record(record.id))
    await moves_are(node, record.id, [*shown, *shown[:2]])
    codes = [event.payload["code"] for event in await told(node, record.id, "auth.qr")]
    assert len(set(codes)) == len(codes) == 2


async def test_a_pairing_that_whatsapp_refuses_tells_why(node: MemoryNode, network: MemoryNetwork) -> None:
    record = await node.create(start=True)
    await node.status_is(record.id, Status.SCAN_QR_CODE)
    network.attempts[0].end(PairingFailed(PairingFailure.PASSKEY))
    await node.status_is(record.id, Status.FAILED)
    await until_async(lambda: _stands(node, record.id, "failed"), "it is told")
    payload = await last_payload(node, record.id)
    assert (payload["reason"], payload["message"]) == ("passkey", plain("passkey"))
    # and a new attempt begins where the last one ended, not by way of a stop
    await node.sessions.start(await node.record(record.id))
    await until_async(lambda: _stands(node, record.id, "scan_qr_code"), "it is told")
    assert (await moves(node, record.id))[-3:] == [
        ("scan_qr_code", "failed"),
        ("failed", "starting"),
        ("starting", "scan_qr_code"),
    ]


async def _stands(node: MemoryNode, session_id: str, status: str) -> bool:
    found = await moves(node, session_id)
    return bool(found) and found[-1][1] == status


async def test_stopping_restarting_and_starting_are_one_change_each(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    await moves_are(node, session.id, STARTED)
    await node.sessions.stop(session)
    await node.sessions.stop(session)
    await moves_are(node, session.id, [*STARTED, ("working", "stopped")])
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    await node.sessions.restart(session)
    await node.status_is(session.id, Status.WORKING)
    again = [("working", "starting"), ("starting", "working")]
    await moves_are(node, session.id, [*STARTED, ("working", "stopped"), *STARTED, *again])


async def test_a_lost_connection_is_told_and_its_return(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    network.drop(NUMBER)
    await moves_are(node, session.id, [*STARTED, ("working", "starting")])
    network.restore(NUMBER)
    await moves_are(node, session.id, [*STARTED, ("working", "starting"), ("starting", "working")])


@pytest.mark.parametrize("ending", list(Ending))
async def test_an_ending_is_told_with_who_must_act(
    node: MemoryNode, network: MemoryNetwork, ending: Ending
) -> None:
    session = await node.working(NUMBER)
    network.end(NUMBER, ending)
    status = "logged_out" if ending is Ending.LOGGED_OUT else "failed"
    await moves_are(node, session.id, [*STARTED, ("working", status)])
    assert await last_payload(node, session.id) == {
        "status": status,
        "previous": "working",
        "reason": str(ending),
        "message": plain(str(ending)),
        "waJid": None if ending is Ending.LOGGED_OUT else session.wa_jid,
        "waLid": None if ending is Ending.LOGGED_OUT else session.wa_lid,
        "gatewayId": "",
    }


async def test_who_starts_a_session_as_soon_as_its_ending_is_told_finds_it_ended(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an ending after whose telling it takes a while until the device is gone
    session = await node.working(NUMBER)
    removing, may_remove = asyncio.Event(), asyncio.Event()
    ordinary = device_folder.remove

    async def remove(folder: Path) -> None:
        removing.set()
        await may_remove.wait()
        await ordinary(folder)

    monkeypatch.setattr("server.sessions.device_folder.remove", remove)
    network.unlink(NUMBER)
    await removing.wait()
    await moves_are(node, session.id, [*STARTED, ("working", "logged_out")])
    # when it is started at once
    starting = asyncio.create_task(node.sessions.start(await node.record(session.id)))
    await one_turn()
    may_remove.set()
    await starting
    # then it is paired anew
    await node.status_is(session.id, Status.SCAN_QR_CODE)


async def test_a_logout_and_a_deletion(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    await node.sessions.logout(session)
    await moves_are(node, session.id, [*STARTED, ("working", "logged_out")])
    other = await node.working("628110000002")
    await node.sessions.delete(other)
    # What is deleted stands nowhere: nothing is told of its way there.
    assert await moves(node, other.id) == STARTED


async def test_a_node_that_stops_leaves_its_sessions_starting_and_the_next_one_goes_on_from_there(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network) as first:
        session = await first.working(NUMBER)
    async with memory_node(tmp_path, network) as second:
        await second.status_is(session.id, Status.WORKING)
        expected = [*STARTED, ("working", "starting"), ("starting", "working")]
        await moves_are(second, session.id, expected)
        left = (await told(second, session.id, "session.status"))[2].payload
        assert left["gatewayId"] == ""


async def test_what_a_killed_node_could_not_tell_is_told_by_the_next(
    tmp_path: Path, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a node that dies with a working session and one that shows a code, without a word about either
    async with memory_node(tmp_path, network) as first:
        working = await first.working(NUMBER)
        pairing = await first.create(start=True)
        await first.status_is(pairing.id, Status.SCAN_QR_CODE)
        await moves_are(first, working.id, STARTED)
        await until_async(lambda: _stands(first, pairing.id, "scan_qr_code"), "it is told")
        with monkeypatch.context() as dying:
            dying.setattr("server.sessions.tracking.TrackedSession.tell", lambda _self: None)
            await first.gateway.sessions.close()
            assert await moves(first, working.id) == STARTED
    # when the next one starts
    async with memory_node(tmp_path, network) as second:
        # then both are told from where they stood
        await moves_are(second, working.id, [*STARTED, ("working", "starting"), ("starting", "working")])
        shown = [("stopped", "starting"), ("starting", "scan_qr_code")]
        await moves_are(second, pairing.id, [*shown, ("scan_qr_code", "stopped")])


async def test_a_database_that_is_away_holds_nobody_up_and_is_told_where_the_session_stands_then(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sessions.tracking.AGAIN_SECONDS", 0.01)
    session = await node.working(NUMBER)
    await moves_are(node, session.id, STARTED)
    # given a database that takes no news
    away = True
    tried = 0
    ordinary = node.repository.update

    async def update(session_id: str, changes: Mapping[str, object], **rest: Any) -> bool:
        nonlocal tried
        if away and not changes:
            tried += 1
            raise DatabaseAwayError
        return await ordinary(session_id, changes, **rest)

    monkeypatch.setattr(node.repository, "update", update)
    # when the connection is lost
    network.drop(NUMBER)
    await until(lambda: tried > 3, "telling is tried again and again")
    # then the node knows at once, and the log when the database is back
    assert await node.status(session.id) is Status.STARTING
    assert await moves(node, session.id) == STARTED
    away = False
    await moves_are(node, session.id, [*STARTED, ("working", "starting")])


async def test_many_changes_are_told_once_each_and_in_order(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    for _ in range(10):
        network.drop(NUMBER)
        await node.status_is(session.id, Status.STARTING)
        network.restore(NUMBER)
        await node.status_is(session.id, Status.WORKING)
    await moves_are(node, session.id, [*STARTED, *[("working", "starting"), ("starting", "working")] * 10])


async def test_callers_at_once_leave_a_log_without_a_gap(node: MemoryNode) -> None:
    session = await node.working(NUMBER)

    async def use(record: Session) -> None:
        for operation in (node.sessions.stop, node.sessions.start, node.sessions.restart):
            await operation(record)

    await asyncio.gather(*(use(session) for _ in range(5)))
    await node.sessions.stop(session)
    found = await moves(node, session.id)
    # each begins where the one before ended
    assert [previous for previous, _ in found[1:]] == [status for _, status in found[:-1]]
    assert all(previous != status for previous, status in found)
    assert found[-1][1] == "stopped"


async def test_a_pairing_that_could_not_begin_changes_nothing(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    # given a session that was logged out, on a node that pairs as many as it can
    session = await node.working(NUMBER)
    await node.sessions.logout(session)
    for _ in range(node.settings.pairings):
        await node.create(start=True)
    # when it shall be paired again
    with pytest.raises(WagateError) as caught:
        await node.sessions.start(await node.record(session.id))
    # then it stands where it stood
    assert caught.value.code is Code.UNAVAILABLE
    assert await node.status(session.id) is Status.LOGGED_OUT
    await moves_are(node, session.id, [*STARTED, ("working", "logged_out")])
    assert len(network.attempts) == node.settings.pairings
