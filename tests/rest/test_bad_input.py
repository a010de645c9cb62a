"""Bad input: each gives the envelope with the right status, and the process lives."""

import json
import socket
import urllib.parse
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.support.stack import Stack, eventually

TO = "628120000001@s.whatsapp.net"


@pytest.fixture(autouse=True)
def the_node_lives_on(stack: Stack) -> Iterator[None]:
    before = stack.node.pid
    yield
    assert stack.node.pid == before
    assert psutil.pid_exists(before)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Checks the envelope; returns its details."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "details", "message"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    details = body["error"]["details"]
    assert isinstance(details, dict)
    return details


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wa_wrong"},
        {"authorization": "Bearer something-else"},
        {"authorization": "Basic d2E6d2E="},
        {"authorization": "Bearer"},
        {"authorization": ""},
        {"x-api-key": ""},
        {"x-api-key": "wa_wrong"},
    ],
)
def test_no_or_wrong_token(stack: Stack, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{stack.ready['http']}/api/v1/sessions", headers=headers)
    refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_may_come_in_x_api_key(stack: Stack) -> None:
    headers = {"x-api-key": stack.ready["apiKey"]}
    assert httpx.get(f"{stack.ready['http']}/api/v1/sessions", headers=headers).status_code == httpx.codes.OK


def test_a_revoked_key(stack: Stack) -> None:
    secret = stack.cli("keys", "create", "--label", "to be revoked")
    headers = {"authorization": f"Bearer {secret}"}
    url = f"{stack.ready['http']}/api/v1/sessions"
    assert httpx.get(url, headers=headers).status_code == httpx.codes.OK
    (line,) = [line for line in stack.cli("keys", "list").splitlines() if "to be revoked" in line]
    stack.cli("keys", "revoke", line.split()[0])
    answer = eventually(
        lambda: (a := httpx.get(url, headers=headers)).status_code != httpx.codes.OK and a, "revoked", 5
    )
    assert isinstance(answer, httpx.Response)
    refused(answer, 401, "unauthorized")


def test_a_missing_capability(stack: Stack, session: str) -> None:
    secret = stack.cli("keys", "create", "--permissions", "read")
    url = f"{stack.ready['http']}/api/v1/sessions"
    headers = {"authorization": f"Bearer {secret}"}
    details = refused(httpx.post(url, headers=headers, json={}), 403, "forbidden")
    assert details == {"required": "manage"}
    refused(httpx.post(f"{url}/{session}/messages", headers=headers, content=b"["), 403, "forbidden")
    assert httpx.get(f"{url}/{session}/chats", headers=headers).status_code == httpx.codes.OK


def test_another_organizations_session_does_not_exist(stack: Stack, session: str) -> None:
    secret = stack.cli("keys", "create", "--organization", "others")
    headers = {"authorization": f"Bearer {secret}"}
    url = f"{stack.ready['http']}/api/v1/sessions"
    for method, path in [
        ("GET", session), ("DELETE", session), ("GET", f"{session}/qr"), ("POST", f"{session}:start"),
        ("POST", f"{session}:stop"), ("POST", f"{session}:logout"), ("POST", f"{session}/messages"),
        ("GET", f"{session}/chats"), ("GET", f"{session}/chats/{TO}/messages"),
    ]:  # fmt: skip
        answer = httpx.request(method, f"{url}/{path}", headers=headers)
        refused(answer, 404, "not_found")
        assert answer.json()["error"]["message"] == "session not found"
    assert httpx.get(url, headers=headers).json() == {"data": [], "nextCursor": None}
    assert stack.status(session) == "working"


def test_unknown_path_method_session_chat(stack: Stack, session: str) -> None:
    refused(stack.rest.get("/nothing"), 404, "not_found")
    refused(httpx.get(f"{stack.ready['http']}/nothing"), 404, "not_found")
    refused(stack.rest.get("/sessions/01ZZZZZZZZZZZZZZZZZZZZZZZZ"), 404, "not_found")
    refused(stack.rest.get("/sessions/no%2Fsuch"), 400, "validation_error")  # an escaped slash is a trick
    answer = stack.rest.put(f"/sessions/{session}")
    assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert {word.strip() for word in answer.headers["allow"].split(",")} >= {"GET", "DELETE"}
    assert set(answer.json()["error"]) == {"code", "details", "message"}
    refused(
        stack.rest.get(f"/sessions/{session}/chats/62899999999@s.whatsapp.net/messages"), 404, "not_found"
    )


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"{", set()),
        (b"", {"to", "type"}),
        (b"{}", {"to", "type"}),
        (b"null", set()),
        (b"[]", set()),
        (b'"text"', set()),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":"\xff"}', set()),
        (b"{'to':'x'}", set()),
        (b'{"type":"text","type":"text"}', set()),
        (b'{"latitude":NaN}', set()),
        (b"[" * 100_000, set()),
        (b'{"type":"text","text":"hi"}', {"to"}),
        (b'{"to":"628120000001@s.whatsapp.net","text":"hi"}', {"type"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text"}', {"text"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":""}', {"text"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":null}', {"text"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":5}', {"text"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":"\\ud800"}', {"text"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"song","text":"hi"}', {"type"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":1,"text":"hi"}', {"type"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":"hi","colour":"red"}', {"colour"}),
        (b'{"to":"628120000001@s.whatsapp.net","type":"text","text":"hi","session":"x"}', {"session"}),
        (b'{"to":"628120000001","type":"text","text":"hi"}', {"to"}),
        (b'{"to":"Ada@s.whatsapp.net","type":"text","text":"hi"}', {"to"}),
        (b'{"to":"+628120000001@s.whatsapp.net","type":"text","text":"hi"}', {"to"}),
        (b'{"to":"628120000001@example.com","type":"text","text":"hi"}', {"to"}),
        (b'{"to":"@s.whatsapp.net","type":"text","text":"hi"}', {"to"}),
        (b'{"to":["x"],"type":"text","text":"hi"}', {"to"}),
    ],
)
def test_bodies_that_do_not_fit(stack: Stack, session: str, body: bytes, fields: set[str]) -> None:
    headers = {"content-type": "application/json"}
    answer = stack.rest.post(f"/sessions/{session}/messages", content=body, headers=headers)
    assert set(refused(answer, 400, "validation_error")) == fields


def test_texts_that_are_too_long(stack: Stack, session: str) -> None:
    assert set(refused(stack.send(session, TO, "x" * 65_537), 400, "validation_error")) == {"text"}
    refused(stack.send(session, TO, "x" * 3_000_000), 413, "payload_too_large")
    assert set(refused(stack.rest.post("/sessions", json={"label": "x" * 201}), 400, "validation_error")) == {
        "label"
    }


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_media_types_are_not_built_yet(stack: Stack, session: str, kind: str) -> None:
    body = {"to": TO, "type": kind, "media": "aGVsbG8=", "caption": "c", "filename": "f"}
    refused(stack.rest.post(f"/sessions/{session}/messages", json=body), 501, "not_implemented")


@pytest.mark.parametrize(
    ("field", "named"),
    [({"replyTo": "3EB0"}, "replyTo"), ({"mentions": [TO, "ada"]}, "mentions[1]")],
    ids=["reply", "mention"],
)
def test_who_and_what_is_not_there_cannot_be_named(
    stack: Stack, session: str, field: dict[str, object], named: str
) -> None:
    body = {"to": TO, "type": "text", "text": "hi", **field}
    answer = stack.rest.post(f"/sessions/{session}/messages", json=body)
    assert set(refused(answer, 400, "validation_error")) == {named}


def test_bad_query_and_cursors(stack: Stack, session: str) -> None:
    refused(stack.rest.get("/sessions", params={"colour": "red"}), 400, "validation_error")
    refused(stack.rest.get("/sessions", params={"limit": "many"}), 400, "validation_error")
    for cursor in ("x", "AAAA", "🙂", "a" * 2000):
        assert set(
            refused(
                stack.rest.get(f"/sessions/{session}/chats", params={"cursor": cursor}),
                400,
                "validation_error",
            )
        ) == {"cursor"}
    for limit in (-1, 0, 1, 200, 100_000):
        assert stack.rest.get("/sessions", params={"limit": limit}).status_code == httpx.codes.OK
    for cid in ("nobody", "a@b", "%ff%fe", urllib.parse.quote("☃@s.whatsapp.net")):
        refused(stack.rest.get(f"/sessions/{session}/chats/{cid}/messages"), 400, "validation_error")


def test_a_number_that_is_not_on_whatsapp(stack: Stack, session: str) -> None:
    details = refused(stack.send(session, "628199999999@s.whatsapp.net", "hi"), 502, "whatsapp_error")
    assert details["reason"] == "not_on_whatsapp"


def test_whatsapps_refusals_are_typed(stack: Stack, session: str, ada: str) -> None:
    for number, reason in ((463, "reach_out_timelock"), (479, "invalid_message"), (429, "over_limit")):
        # Not once alone: what the library sends by itself may come before.
        stack.fault(kind="ack_error", code=number)
        try:
            assert refused(stack.send(session, ada, "hi"), 502, "whatsapp_error")["reason"] == reason
        finally:
            stack.clear_faults()


def test_garbage_instead_of_http(stack: Stack) -> None:
    address = urllib.parse.urlsplit(stack.ready["http"])
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        head, _, body = raw.recv(65536).partition(b"\r\n\r\n")
    assert b" 400 " in head.split(b"\r\n")[0]
    assert set(json.loads(body)["error"]) == {"code", "details", "message"}
