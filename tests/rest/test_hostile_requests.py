"""Single requests that nobody means well with, by what they try. No process may die of one."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import pytest

from tests.support.hostile import Answer, Wire, request
from tests.support.stack import Stack

TO = "628120000001@s.whatsapp.net"
FORGED = "2026-11-21 00:00:00,000 INFO server.app: forged"


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    """A connection; afterwards node and Envoy are the processes that they were, and serve."""
    url = urlsplit(stack.ready["http"])
    opened = Wire((url.hostname or "", url.port or 0))
    processes = (stack.node, stack.envoy)
    yield opened
    opened.close()
    assert all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
    assert stack.rest.get("/sessions", params={"limit": 1}).status_code == 200


def asked(
    stack: Stack, wire: Wire, method: str, path: str, *headers: str, body: bytes | None = None
) -> Answer:
    """Asks with a good key, unless `headers` say otherwise."""
    key = () if any(h.lower().startswith("authorization") for h in headers) else (
        f"authorization: Bearer {stack.ready['apiKey']}",
    )  # fmt: skip
    return wire.ask(request(method, f"/api/v1{path}", [*key, *headers], body))


def refused(answer: Answer, status: int, code: str) -> dict[str, object]:
    assert answer.status == status, answer
    error = json.loads(answer.body)["error"]
    assert error["code"] == code
    assert set(error) == {"code", "details", "message"}
    assert len(answer.body) < 10_000, "a refusal must not grow with what is wrong"
    details: dict[str, object] = error["details"]
    return details


DEEP = 200_000
BODIES = {
    "arrays in arrays": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a deep value": b'{"contact":' + b"[" * 500 + b"]" * 500 + b"}",
    "many unknown fields": json.dumps({f"f{n}": n for n in range(100_000)}).encode(),
    "a long unknown field": json.dumps({"f" * 1_000_000: 1}).encode(),
    "many wrong mentions": json.dumps(
        {"to": TO, "type": "text", "text": "x", "mentions": ["x"] * 200_000}
    ).encode(),
    "a number of a million digits": b'{"selectableCount":' + b"9" * 1_000_000 + b"}",
    "an endless fraction": b'{"latitude":0.' + b"1" * 1_000_000 + b"1e999999999}",
    "the same field a hundred thousand times": b"{" + b",".join([b'"to":"x"'] * 100_000) + b"}",
    "escapes": b'{"to":"' + b"\\u0041" * 300_000 + b'"}',
    "UTF-16": '{"to":"x"}'.encode("utf-16"),
    "UTF-32": '{"to":"x"}'.encode("utf-32"),
    "overlong UTF-8": b'{"to":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"to":"\xed\xa0\x80"}',
    "zeros": b"\0" * 1_000_000,
    "gzip": gzip.compress(b" " * 50_000_000),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies(stack: Stack, session: str, wire: Wire, body: bytes) -> None:
    answer = asked(stack, wire, "POST", f"/sessions/{session}/messages", "content-encoding: gzip", body=body)
    refused(answer, 400, "validation_error")


@pytest.mark.parametrize("extra", [1, 10_000_000])
def test_a_body_above_the_limit(stack: Stack, session: str, wire: Wire, extra: int) -> None:
    body = b" " * (2 * 1024 * 1024 + extra)
    refused(asked(stack, wire, "POST", f"/sessions/{session}/messages", body=body), 413, "payload_too_large")


PATHS = {
    "dots": ("/sessions/../../../etc/passwd", 404),
    "escaped dots": ("/sessions/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 404),
    "twice escaped dots": ("/sessions/%252e%252e%252fetc", 404),
    "an escaped slash": ("/sessions/a%2fb", 400),
    "an escaped backslash": ("/sessions/a%5cb", 400),
    "zero": ("/sessions/a%00b", 400),
    "line end": ("/sessions/a%0d%0ax-evil:%201", 400),
    "overlong UTF-8": ("/sessions/%c0%ae%c0%ae", 400),
    "no UTF-8": ("/sessions/%ff", 400),
    "raw bytes": ("/sessions/\xff\xfe", 400),
    "very long": ("/sessions/" + "a" * 20_000, 404),
    "longer than headers may be": ("/sessions/" + "a" * 40_000, 431),
    "a ULID in lower case": ("/sessions/01arz3ndektsv4rrffq69g5fav", 404),
    "SQL": ("/sessions/" + quote("' OR '1'='1"), 404),
    "more SQL": ("/sessions/" + quote("x'; DROP TABLE session; --"), 404),
    "parameters": ("/sessions/a;jsessionid=1", 404),
    "another host": ("@evil.example/sessions", 404),
}


@pytest.mark.parametrize(("path", "status"), PATHS.values(), ids=PATHS.keys())
def test_paths(stack: Stack, wire: Wire, path: str, status: int) -> None:
    words = {404: "not_found", 400: "validation_error", 431: "payload_too_large"}
    refused(asked(stack, wire, "GET", path), status, words[status])


@pytest.mark.parametrize(
    "where", ["sessions/{session}/chats", "sessions/{session}/chats/628120000001@lid/messages"]
)
@pytest.mark.parametrize(
    "cursor", ["A" * 20_000, quote("' OR 1=1 --"), "%00", "AAAA" * 3000, quote("🙂" * 500)]
)
def test_cursors(stack: Stack, session: str, wire: Wire, where: str, cursor: str) -> None:
    answer = asked(stack, wire, "GET", f"/{where.format(session=session)}?cursor={cursor}")
    assert answer.status in {400, 404}  # the chat may not be there; then its cursor is not looked at
    assert json.loads(answer.body)["error"]["code"] in {"validation_error", "not_found"}


HEADERS = {
    "a thousand": ([f"x-{n}: {n}" for n in range(1000)], 431),
    "a long one": (["x-long: " + "a" * 100_000], 431),
    "many long ones": ([f"x-{n}: " + "a" * 3000 for n in range(50)], 431),
    "control characters": (["x-y: a\x01b"], 400),
    "a space in a name": (["x y: 1"], 400),
    "a name of bytes": (["x\xff: 1"], 400),
    "a zero": (["x-y: a\0b"], 400),
    "a key of bytes": (["authorization: Bearer wa_\xff\xfe"], 401),
    "a long key": (["authorization: Bearer wa_" + "a" * 20_000], 401),
    "a key that is SQL": (["authorization: Bearer wa_' OR '1'='1"], 401),
    "two keys": (["authorization: Bearer wa_1", "authorization: Bearer wa_2"], 401),
}


@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS.keys())
def test_headers(stack: Stack, wire: Wire, headers: list[str], status: int) -> None:
    words = {431: "payload_too_large", 400: "validation_error", 401: "unauthorized"}
    refused(asked(stack, wire, "GET", "/sessions", *headers), status, words[status])


def test_what_callers_choose_begins_no_line_of_a_log(stack: Stack, session: str, wire: Wire) -> None:
    lines = f"x\r\n{FORGED}\n{FORGED}\u2028{FORGED}"
    escaped = quote(lines)
    for path in (
        f"/sessions/{escaped}",
        f"/sessions/{session}/chats/{escaped}/messages",
        f"/sessions?{escaped}=1",
    ):
        asked(stack, wire, "GET", path)
    label = json.dumps({"label": lines[:150]}).encode()
    assert asked(stack, wire, "POST", "/sessions", body=label).status == 201
    for body in (
        {"to": lines, "type": lines}, {lines: 1},
        {"to": TO, "type": "poll", "name": lines, "options": [lines, "b"]},
        {"to": TO, "type": "contact", "contact": {"name": lines, "phone": lines}},
        {"to": TO, "type": "text", "text": lines, "replyTo": lines},
    ):  # fmt: skip
        asked(stack, wire, "POST", f"/sessions/{session}/messages", body=json.dumps(body).encode())
    asked(
        stack, wire, "PATCH", f"/sessions/{session}/messages/{escaped}", body=b'{"chat":"1@lid","text":"x"}'
    )
    asked(stack, wire, "POST", f"/sessions/{session}/messages", "x-request-id: a\tb", body=b"{}")
    stack.person("628120000077", name=lines)
    stack.says("628120000077", "628110000001", lines)

    for log in logs(stack):
        for line in log.read_text(errors="replace").splitlines():
            assert not line.startswith(FORGED[:10] + " 00:00:00"), f"{log}: {line}"


def logs(stack: Stack) -> list[Path]:
    """Every log of the product."""
    found = [*stack.data_dir.rglob("*.log"), *stack.data_dir.parent.glob("*.log")]
    assert found
    return found


def test_names_that_are_sql_are_kept_as_they_are(stack: Stack, wire: Wire) -> None:
    label = "Robert'); DROP TABLE session; --"
    created = asked(stack, wire, "POST", "/sessions", body=json.dumps({"label": label}).encode())
    assert created.status == 201
    found = asked(stack, wire, "GET", f"/sessions/{json.loads(created.body)['id']}")
    assert json.loads(found.body)["label"] == label
