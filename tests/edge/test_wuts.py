"""What the edge itself says under the paths of the WUTS API: that API's envelope, not ours."""

import re
from pathlib import Path

import httpx
import pytest

from tests.edge.gateway import Gateway

PATH = "/messages/delete"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """Asserts that an answer is an error in WUTS's envelope; returns its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "error", "error_code", "timestamp"}
    assert (body["success"], body["error_code"]) == (False, code)
    assert TIME.fullmatch(body["timestamp"])
    assert body["error"]
    assert not [name for name in answer.headers if name.startswith(("grpc-", "x-envoy-", "x-http-"))]
    return str(body["error"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", PATH, 405, "METHOD_NOT_ALLOWED"),
        ("GET", PATH, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/messages/nothing", 404, "NOT_FOUND"),
        ("DELETE", f"{PATH}?colour=red", 400, "VALIDATION_ERROR"),
        ("DELETE", f"{PATH}?rest_body=x", 400, "VALIDATION_ERROR"),
        ("DELETE", f"{PATH}?x=%ff", 400, "VALIDATION_ERROR"),
    ],
)
def test_what_the_edge_refuses(rest: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    answer = rest.request(method, path)
    refused(answer, status, code)
    assert answer.headers.get("allow") == ("DELETE" if status == 405 else None)


def test_a_body_that_is_too_large(rest: httpx.Client) -> None:
    refused(rest.request("DELETE", PATH, content=b" " * 3_000_000), 413, "PAYLOAD_TOO_LARGE")


def test_quotes_in_what_is_repeated_stay_json(rest: httpx.Client) -> None:
    message = refused(rest.request("DELETE", PATH, params={'a"b\\': "x"}), 400, "VALIDATION_ERROR")
    assert "a%22b%5C" in message


def test_what_the_nodes_library_says_by_itself(rest: httpx.Client) -> None:
    for error, status, code in (
        ("UNAUTHENTICATED", 401, "UNAUTHORIZED"),
        ("UNIMPLEMENTED", 501, "NOT_IMPLEMENTED"),
        ("INTERNAL", 500, "INTERNAL"),
    ):
        answer = rest.request("DELETE", PATH, headers={"x-test-grpc-error": error})
        assert "inner detail" not in refused(answer, status, code)


def test_the_nodes_own_answers_pass(rest: httpx.Client) -> None:
    body = b'{"messageId": "3EB0"}'
    for status in (200, 400, 503):
        answer = rest.request("DELETE", PATH, content=body, headers={"x-test-status": str(status)})
        assert answer.status_code == status
        assert answer.json()["method"] == "/wuts.v1.Messages/DeleteMessage"
        assert answer.json()["body"] == body.decode()


def test_a_node_that_is_silent(tmp_path: Path) -> None:
    with Gateway(tmp_path, rest_timeout="0.3s") as gateway:
        answer = httpx.request("DELETE", f"{gateway.url}{PATH}", headers={"x-test-delay": "30"})
    refused(answer, 504, "TIMEOUT")


def test_a_node_that_is_away(own_gateway: Gateway, own_rest: httpx.Client) -> None:
    own_gateway.kill_node()
    answer = own_rest.request("DELETE", PATH)
    refused(answer, 503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


def test_other_paths_keep_our_envelope(rest: httpx.Client) -> None:
    for path in ("/messages", "/messagesx/delete", "/api/v1/messages/delete"):
        assert set(rest.request("DELETE", path).json()) == {"error"}
