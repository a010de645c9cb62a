"""What the edge refuses by itself: always in the envelope, and the gateway lives on."""

import json

import httpx
import pytest

from tests.edge.envelope import refused
from tests.edge.gateway import Gateway
from tests.edge.wire import Connection

SESSION = "/api/v1/sessions/S1"
LIMIT = 2 << 20


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/api/v1/session"),
        ("POST", "/api/v1/sessions/S1/nothing"),
        ("GET", "/api/v2/sessions"),
        ("GET", "//api/v1/sessions"),
        # The RPCs' own paths are for gRPC callers.
        ("POST", "/wagate.v1.Sessions/ListSessions"),
    ],
)
def test_an_unknown_path_is_404(rest: httpx.Client, method: str, path: str) -> None:
    refused(rest.request(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/v1/sessions", "GET, POST"),
        ("DELETE", "/api/v1/sessions/", "GET, POST"),
        ("POST", SESSION, "DELETE, GET"),
        ("PATCH", SESSION, "DELETE, GET"),
        ("OPTIONS", SESSION, "DELETE, GET"),
        ("GET", f"{SESSION}:start", "POST"),
        ("GET", f"{SESSION}/messages", "POST"),
        ("POST", f"{SESSION}/chats/628%40s.whatsapp.net/messages", "GET"),
    ],
)
def test_a_known_path_names_its_methods(rest: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = rest.request(method, path)

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


def test_head_is_refused_without_a_body(rest: httpx.Client) -> None:
    answer = rest.head(SESSION)

    assert (answer.status_code, answer.content, answer.headers["allow"]) == (405, b"", "DELETE, GET")


@pytest.mark.parametrize(
    "text", ["a%00b", "%ff%fe", "%c0%af", "%ed%a0%80", "%f4%90%80%80", "%e2%82", "a%0Ab"]
)
def test_what_is_no_plain_text_is_400(rest: httpx.Client, text: str) -> None:
    refused(rest.get(f"/api/v1/sessions/{text}"), 400, "validation_error")
    refused(rest.get(f"/api/v1/sessions?cursor={text}"), 400, "validation_error")


@pytest.mark.parametrize("slash", ["%2F", "%2f", "%5C", "%5c"])
def test_an_escaped_slash_in_the_path_is_400(rest: httpx.Client, slash: str) -> None:
    refused(rest.get(f"/api/v1/sessions/a{slash}b"), 400, "validation_error")


def test_dots_do_not_lead_out_of_the_path(rest: httpx.Client, connection: Connection) -> None:
    assert connection.ask("GET", "/api/v1/sessions/S1/../S2").status == 200
    refused(rest.get("/api/v1/sessions/S1/%2e%2e/%2e%2e/%2e%2e/etc"), 404, "not_found")


def test_a_body_up_to_the_limit_passes_and_one_above_is_413(rest: httpx.Client) -> None:
    for path in ("/api/v1/sessions", f"{SESSION}/messages", f"{SESSION}:start"):
        assert rest.post(path, content=b"x" * LIMIT).status_code == 200
        refused(rest.post(path, content=b"x" * (LIMIT + 1)), 413, "payload_too_large")


def test_a_body_of_unknown_length_meets_the_same_limit(rest: httpx.Client) -> None:
    pieces = (b"x" * 65536 for _ in range(33))

    refused(rest.post("/api/v1/sessions", content=pieces), 413, "payload_too_large")


@pytest.mark.parametrize(
    "headers",
    [{"big": "x" * 40000}, {f"h{number}": "x" for number in range(120)}],
)
def test_too_many_headers_are_431(rest: httpx.Client, headers: dict[str, str]) -> None:
    refused(rest.get(SESSION, headers=headers), 431, "payload_too_large")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        b"GET /api/v1/sessions HTTP/1.1\r\n\r\n",
        b"GET /api/v1/sessions HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n",
        b"GET /api/v1/sessions HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        b"POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/sessions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_what_is_no_http_is_400(connection: Connection, gateway: Gateway, request_bytes: bytes) -> None:
    connection.send(request_bytes)
    answer = connection.answer()

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    error = json.loads(answer.body)["error"]
    assert (error["code"], error["details"]) == ("validation_error", {})
    assert httpx.get(f"{gateway.url}{SESSION}").status_code == 200


def test_another_version_of_http_is_refused_in_the_envelope(connection: Connection) -> None:
    connection.send(b"GET / HTTP/9.9\r\n\r\n")
    answer = connection.answer()

    assert answer.status == 426
    assert json.loads(answer.body)["error"]["code"] == "validation_error"


def test_a_parameters_name_cannot_break_the_envelope(connection: Connection) -> None:
    for name in ('a"}}', "a\\", '\\"', "%22%7d", "'", '":"', '" in the type "x', "%s%d"):
        answer = connection.ask("GET", f"/api/v1/sessions?{name}=1")

        assert answer.status == 400
        assert json.loads(answer.body)["error"]["code"] == "validation_error"
        connection.reopen()


def test_raw_bytes_in_the_path_are_400(connection: Connection) -> None:
    answer = connection.ask("GET", "/api/v1/sessions/\xff\xfe")

    assert answer.status == 400
    assert json.loads(answer.body)["error"]["code"] == "validation_error"
