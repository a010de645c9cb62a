"""Following events as server-sent events, through Envoy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.databases import NewDatabase
from tests.support.sse import Frame, frames, told
from tests.support.stack import Stack, running

OLDEST = "evt_" + "0" * 26
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@contextmanager
def following(stack: Stack, query: str = "", **headers: str) -> Iterator[Iterator[Frame]]:
    """An open stream, from its first frame on."""
    with stack.rest.stream("GET", f"/events{query}", headers=headers, timeout=30) as answer:
        assert answer.status_code == httpx.codes.OK, answer.read()
        yield frames(answer.iter_raw())


def refused(stack: Stack, query: str = "", **headers: str) -> tuple[int, Any]:
    """The status and the error of a stream that does not begin."""
    answer = stack.rest.get(f"/events{query}", headers=headers)
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()["error"]


def test_it_begins_at_once_with_what_a_browser_needs(stack: Stack) -> None:
    with stack.rest.stream("GET", "/events", timeout=10) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-accel-buffering"] == "no"
        assert not {name for name in answer.headers if name.startswith(("grpc-", "x-http"))}
        found = frames(answer.iter_raw())
        assert next(found) == Frame(retry=3000)
        first = next(found)
        assert (first.event, first.json["event"]) == ("heartbeat", "heartbeat")
        assert first.id == first.json["id"]


@pytest.mark.both_engines
def test_a_message_is_told_as_the_envelope(stack: Stack, session: str, ada: str) -> None:
    with following(stack, "?events=message") as found:
        next(found)
        begins = next(found)
        text = "line one\nline two\r\u2028 שלום 😀 data: x"
        said = stack.says(ada.partition("@")[0], f"{628110000001}@s.whatsapp.net", text)
        (frame,) = told(found, 1)
    assert frame.id > begins.id
    assert frame.event == "message"
    envelope = frame.json
    assert list(envelope) == ["schema", "id", "event", "session", "organization", "timestamp", "payload"]
    assert (envelope["schema"], envelope["id"], envelope["event"]) == ("v1", frame.id, "message")
    assert envelope["session"] == session
    assert isinstance(envelope["timestamp"], int)
    payload = envelope["payload"]
    assert (payload["waMessageId"], payload["body"], payload["error"]) == (said, text, None)
    assert isinstance(payload["createdAt"], int)
    assert frame.data == json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


def test_the_header_goes_before_the_address(stack: Stack, session: str, ada: str) -> None:
    with following(stack) as found:
        next(found)
        begins = next(found).id
        for text in ("a", "b", "c"):
            stack.send(session, ada, text).raise_for_status()
        ids = [frame.id for frame in told(found, 3)]
    with following(stack, f"?since={begins}") as found:
        assert [frame.id for frame in told(found, 3)] == ids
    # a browser that comes back: the address of the beginning, the id of the end
    with following(stack, f"?since={begins}", **{"last-event-id": ids[1]}) as found:
        assert told(found, 1)[0].id == ids[2]
    with following(stack, f"?since={ids[1]}", **{"last-event-id": ""}) as found:
        assert told(found, 1)[0].id == ids[2]
    with following(stack, f"?since={OLDEST}") as found:
        assert told(found, 1)[0].id <= ids[0]


@pytest.mark.parametrize(
    "names", ["?events=message.status&events=tick", "?events=message.status,tick", "?events=message.status"]
)
def test_names_may_be_listed_in_both_ways(stack: Stack, session: str, ada: str, names: str) -> None:
    with following(stack, f"{names}&sessions={session}") as found:
        next(found), next(found)
        stack.send(session, ada, "one")
        stack.rest.post(
            f"/sessions/{session}/messages?async=true", json={"to": ada, "type": "text", "text": "two"}
        )
        assert told(found, 1)[0].event == "message.status"


@pytest.mark.parametrize(
    ("query", "header", "status", "field"),
    [
        ("?since=no", "", 400, "since"),
        ("", "no", 400, "Last-Event-ID"),
        (f"?since={OLDEST}", "evt_7" + "Z" * 25, 400, "Last-Event-ID"),
        ("?events=*", "", 400, "events"),
        ("?events=" + ",".join(["a"] * 101), "", 400, "events"),
        ("?after=" + OLDEST, "", 400, "after"),
    ],
)
def test_what_is_wrong_is_told_in_the_envelope(
    stack: Stack, query: str, header: str, status: int, field: str
) -> None:
    code, error = refused(stack, query, **({"last-event-id": header} if header else {}))
    assert (code, error["code"], set(error["details"])) == (status, "validation_error", {field})


def test_a_session_that_is_none_and_a_token_that_is_none(stack: Stack) -> None:
    assert refused(stack, f"?sessions={NOBODY}")[0] == 404
    assert refused(stack, authorization="Bearer wa_no")[0] == 401


def test_other_methods_are_not_allowed(stack: Stack) -> None:
    answer = stack.rest.post("/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_no_log_has_the_ticket(stack: Stack) -> None:
    """Not of one that was good, nor of one that was not, nor of a call that went wrong altogether."""
    tickets = [stack.rest.post("/realtime/ticket").json()["ticket"] for _ in range(2)]
    with httpx.Client(base_url=stack.rest.base_url, timeout=30) as browser:
        for query in (f"?ticket={tickets[0]}&since={OLDEST}", f"?ticket={tickets[1]}"):
            with browser.stream("GET", f"/events{query}") as answer:
                assert answer.status_code == httpx.codes.OK
                next(frames(answer.iter_raw()))
            again = browser.get(f"/events{query}")
            assert again.status_code == httpx.codes.UNAUTHORIZED
            assert not [ticket for ticket in tickets if ticket in again.text]
        for query in (f"?ticket={tickets[0]}&colour=red", f"/{tickets[0]}"):
            assert browser.get(f"/events{query}").status_code >= 400
    logs = [stack.data_dir.parent / f"{stack.data_dir.name}.up.log", *stack.data_dir.rglob("*.log")]
    assert {"node.log", "envoy.log"} <= {log.name for log in logs}
    for log in logs:
        assert not [ticket for ticket in tickets if ticket.encode() in log.read_bytes()], log


def test_it_goes_on_after_the_node_is_killed(tmp_path: Path, new_database: NewDatabase) -> None:
    """A browser that comes back with the header has missed nothing."""
    with running(tmp_path / "data", **new_database()) as product:
        session = product.paired("628110000001")
        ada = product.person("628120000001")
        with following(product) as found:
            next(found)
            last = next(found).id
            product.node.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                list(found)
        product.await_status(session, "working")
        product.send(session, ada, "hello").raise_for_status()
        with following(product, "?events=message", **{"last-event-id": last}) as found:
            assert told(found, 1)[0].json["payload"]["body"] == "hello"
