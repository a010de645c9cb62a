"""Connections that die, and all the ways in which WhatsApp ends them, with the real client over the wire."""

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from server.sessions.endings import plain
from tests.support.stack import Stack, eventually, running
from tests.support.told import telling

_numbers = itertools.count(628_110_000_071)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product that asks a quiet connection for a sign of life every second or so."""
    settings = {"WAGATE_PROBE_SECONDS": "1", "WAGATE_SEND_TIMEOUT": "3"}
    with running(tmp_path_factory.mktemp("liveness") / "data", **settings) as product:
        yield product


@pytest.fixture(autouse=True)
def healthy(stack: Stack) -> Iterator[None]:
    yield
    stack.clear_faults()


@pytest.fixture
def number() -> str:
    return str(next(_numbers))


@pytest.fixture
def session(stack: Stack, number: str) -> str:
    return stack.paired(number)


def health(stack: Stack, session: str) -> Mapping[str, Any]:
    answer = stack.rest.get(f"/sessions/{session}/health")
    answer.raise_for_status()
    found: Mapping[str, Any] = answer.json()
    return found


def moved(events: Iterator[dict[str, Any]], session: str) -> tuple[str, str]:
    """The session's next move: from where to where."""
    payload = next(event["payload"] for event in events if event["session"] == session)
    return payload["previous"], payload["status"]


def test_a_quiet_session_shows_signs_of_life(stack: Stack, session: str) -> None:
    before = eventually(lambda: health(stack, session)["lastKeepAliveAt"], "a probe was answered")
    later = eventually(
        lambda: health(stack, session) if health(stack, session)["lastKeepAliveAt"] > before else None,
        "another one",
    )
    assert (later["status"], later["connected"], later["reconnects"]) == ("working", True, 0)
    assert (later["reason"], later["message"], later["sessionId"]) == (None, None, session)
    assert (later["lastAckAt"], later["lastInboundAt"]) == (None, None)
    jid = stack.person("628120000071", "Ada")
    stack.send(session, jid, "hello").raise_for_status()
    eventually(lambda: health(stack, session)["lastInboundAt"], "her receipt came in")
    assert health(stack, session)["lastAckAt"] >= later["since"]


@pytest.mark.parametrize("kind", ["freeze", "silence"])
def test_a_dead_connection_is_noticed_told_and_replaced_without_a_code(
    stack: Stack, session: str, number: str, kind: str
) -> None:
    with telling(stack, ["session.status", "auth.qr"]) as events:
        # given a connection that stands, and over which nothing goes any more
        stack.fault(kind=kind, number=number)
        # then it is noticed, and the status says so
        assert moved(events, session) == ("working", "starting")
        assert not health(stack, session)["connected"]
        refused = stack.send(session, "628120000071@s.whatsapp.net", "hello")
        assert refused.status_code == httpx.codes.CONFLICT
        assert refused.json()["error"]["details"]["status"] == "starting"
        # when the way is free again, then it works by itself
        stack.clear_faults()
        assert moved(events, session) == ("starting", "working")
    assert health(stack, session)["reconnects"] >= 1


def test_dead_connections_hold_nobody_else_up(stack: Stack) -> None:
    """Each of them waits five seconds for a goodbye that never comes: all at the same time, and alone."""
    numbers = [str(next(_numbers)) for _ in range(4)]
    dead = {stack.paired(number) for number in numbers}
    other = stack.paired(str(next(_numbers)))
    with telling(stack, ["session.status"]) as events:
        for number in numbers:
            stack.fault(kind="freeze", number=number)
        left = set(dead)
        while left:
            event = next(events)
            if event["payload"]["status"] == "starting":
                left.discard(event["session"])
    asked = time.monotonic()
    stack.rest.post(f"/sessions/{other}:stop").raise_for_status()
    stack.rest.post(f"/sessions/{other}:start").raise_for_status()
    assert time.monotonic() - asked < 12
    stack.clear_faults()
    for session in dead:
        stack.await_status(session, "working")


@pytest.mark.parametrize("stage", ["tunnel", "upgrade"])
def test_a_whole_network_that_freezes_holds_no_other_call_up(stack: Stack, session: str, stage: str) -> None:
    other = stack.paired(str(next(_numbers)))
    with telling(stack, ["session.status"]) as events:
        stack.fault(kind="freeze", stage=stage)
        assert moved(events, session) == ("working", "starting")
        asked = time.monotonic()
        assert stack.rest.post(f"/sessions/{other}:stop").json()["status"] == "stopped"
        assert time.monotonic() - asked < 30
        stack.clear_faults()
        assert moved(events, session) == ("starting", "working")
    assert stack.status(other) == "stopped"


def test_pings_alone_that_stay_unanswered_kill_no_connection(stack: Stack, session: str, number: str) -> None:
    stack.fault(kind="ping_drop", number=number)
    before = health(stack, session)["lastKeepAliveAt"] or 0
    eventually(lambda: (health(stack, session)["lastKeepAliveAt"] or 0) > before, "a probe was answered")
    assert health(stack, session)["reconnects"] == 0


def test_a_slow_network_is_no_dead_one(stack: Stack, session: str, number: str) -> None:
    stack.fault(kind="lag", number=number, delay=0.3)
    before = health(stack, session)["lastKeepAliveAt"] or 0
    eventually(
        lambda: (health(stack, session)["lastKeepAliveAt"] or 0) > before + 2000, "probes are answered"
    )
    found = health(stack, session)
    assert (found["status"], found["reconnects"]) == ("working", 0)


def test_a_network_that_is_down_is_waited_for(stack: Stack, session: str, number: str) -> None:
    with telling(stack, ["session.status"]) as events:
        stack.fault(kind="refuse")
        stack.fault(kind="cut", number=number)
        assert moved(events, session) == ("working", "starting")
        total = stack.sandbox.get("/stats").json()["connections"]["total"]
        stack.clear_faults()
        assert moved(events, session) == ("starting", "working")
    assert stack.sandbox.get("/stats").json()["connections"]["total"] >= total


def test_a_connection_that_flaps_stays_truthful(stack: Stack, session: str, number: str) -> None:
    with telling(stack, ["session.status"]) as events:
        for _ in range(5):
            stack.fault(kind="cut", number=number)
            assert moved(events, session) == ("working", "starting")
            assert moved(events, session) == ("starting", "working")
    assert health(stack, session)["reconnects"] == 5


def test_a_stream_error_is_a_lost_connection(stack: Stack, session: str, number: str) -> None:
    with telling(stack, ["session.status"]) as events:
        stack.fault(kind="stream_error", number=number, code=503)
        assert moved(events, session) == ("working", "starting")
        assert moved(events, session) == ("starting", "working")


def test_a_client_that_is_asked_to_connect_again_does_so_without_a_word(
    stack: Stack, session: str, number: str
) -> None:
    """The library tells nobody that the connection is away for a moment."""
    stack.fault(kind="stream_error", number=number, code=515)
    eventually(lambda: health(stack, session)["reconnects"] == 1, "it has connected again")
    stack.await_status(session, "working")


ENDS: Mapping[str, tuple[list[dict[str, object]], str, str]] = {
    "unlinked": ([{"kind": "stream_error", "code": 401}], "logged_out", "logged_out"),
    "replaced": ([{"kind": "stream_error", "code": "replaced"}], "failed", "replaced"),
    "banned": ([{"kind": "connect_failure", "code": 402}, {"kind": "cut"}], "failed", "banned"),
    "outdated": ([{"kind": "connect_failure", "code": 405}, {"kind": "cut"}], "failed", "outdated"),
    "refused": ([{"kind": "connect_failure", "code": 400}, {"kind": "cut"}], "failed", "refused"),
    "account-gone": ([{"kind": "connect_failure", "code": 403}, {"kind": "cut"}], "logged_out", "logged_out"),
}
"""What is done to a session, where it then stands, and the word for why."""


@pytest.mark.parametrize("how", ENDS)
def test_an_ending_is_told_with_who_must_act(stack: Stack, session: str, number: str, how: str) -> None:
    faults, status, reason = ENDS[how]
    with telling(stack, ["session.status"]) as events:
        for fault in faults:
            stack.fault(number=number, **fault)
        payload = next(e["payload"] for e in events if e["payload"]["status"] not in {"starting", "working"})
    assert (payload["status"], payload["reason"]) == (status, reason)
    assert payload["message"] == plain(reason)
    assert payload["gatewayId"] == ""
    assert (payload["waJid"] is None) == (status == "logged_out")
    found = health(stack, session)
    assert (found["status"], found["reason"], found["message"]) == (status, reason, payload["message"])
    # It stays so: nobody connects it again by himself.
    assert stack.status(session) == status


def test_a_killed_node_is_told_of_by_the_next(stack: Stack, session: str) -> None:
    last = stack.rest.get(f"/sessions/{session}").json()["lastConnectedAt"]
    newest = _newest(stack)
    stack.node.kill()
    eventually(
        lambda: (
            stack.status(session) == "working"
            and stack.rest.get(f"/sessions/{session}").json()["lastConnectedAt"] > last
        ),
        "it works again",
    )
    with telling(stack, ["session.status"], after=newest) as events:
        assert moved(events, session) == ("working", "starting")
        assert moved(events, session) == ("starting", "working")


def _newest(stack: Stack) -> str:
    """The newest event's id: that of a session made and paired for it."""
    with telling(stack, ["session.status"]) as events:
        stack.paired(str(next(_numbers)))
        found = ""
        for event in events:
            found = event["id"]
            if event["payload"]["status"] == "working":
                break
        return found
