"""What a REST caller gets of the node's answer: its status, its headers, its bytes."""

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.envelope import refused
from tests.edge.gateway import Gateway
from tests.edge.wire import Connection

SESSION = "/api/v1/sessions/S1"


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def either(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[httpx.Client]:
    http2 = request.param == "HTTP/2"
    with httpx.Client(base_url=gateway.url, http1=not http2, http2=http2, timeout=20) as client:
        yield client


@pytest.mark.parametrize("status", [200, 201, 202, 400, 401, 403, 404, 409, 422, 429, 501, 502, 503, 504])
def test_the_status_is_the_nodes(either: httpx.Client, status: int) -> None:
    answer = either.get(SESSION, headers={"x-test-status": str(status), "x-test-retry-after": "7"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["method"] == "/wagate.v1.Sessions/GetSession"
    assert set(answer.headers) == {"content-type", "content-length", "retry-after", "date", "server"}


def test_a_challenge_passes(rest: httpx.Client) -> None:
    headers = {"x-test-status": "401", "x-test-www-authenticate": "Bearer"}

    assert rest.get(SESSION, headers=headers).headers["www-authenticate"] == "Bearer"


def test_204_has_not_a_byte_of_body_and_the_connection_lives_on(connection: Connection) -> None:
    for _ in range(3):
        empty = connection.ask("DELETE", SESSION, "x-test-status: 204")

        assert empty.status == 204
        assert set(empty.headers) == {"date", "server"}
        assert connection.unread == b""
        # Whatever had followed the 204 would be read as the beginning of this answer.
        assert connection.ask("GET", SESSION).status == 200


def test_204_is_sound_in_http2(gateway: Gateway) -> None:
    with httpx.Client(base_url=gateway.url, http1=False, http2=True, timeout=20) as client:
        for _ in range(3):
            answer = client.delete(SESSION, headers={"x-test-status": "204"})

            assert (answer.http_version, answer.status_code, answer.content) == ("HTTP/2", 204, b"")
            assert "content-type" not in answer.headers
            assert client.get(SESSION).status_code == 200


def test_a_large_answer_comes_whole(rest: httpx.Client) -> None:
    size = 60 << 20

    answer = rest.get(SESSION, headers={"x-test-size": str(size)})

    assert answer.status_code == 200
    assert len(answer.content) == size


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("INVALID_ARGUMENT", 400, "validation_error"),
        ("UNAUTHENTICATED", 401, "unauthorized"),
        ("PERMISSION_DENIED", 403, "forbidden"),
        ("NOT_FOUND", 404, "not_found"),
        ("ABORTED", 409, "conflict"),
        ("RESOURCE_EXHAUSTED", 429, "rate_limited"),
        ("UNIMPLEMENTED", 501, "not_implemented"),
        ("INTERNAL", 500, "internal"),
        ("UNKNOWN", 500, "internal"),
        ("DATA_LOSS", 500, "internal"),
        ("UNAVAILABLE", 503, "unavailable"),
    ],
)
def test_what_the_node_left_unshaped_comes_in_the_envelope(
    rest: httpx.Client, error: str, status: int, code: str
) -> None:
    message = refused(rest.get(SESSION, headers={"x-test-grpc-error": error}), status, code)

    assert "inner detail" not in message


def test_a_deadline_that_the_node_left_unshaped_says_that_the_outcome_is_unknown(rest: httpx.Client) -> None:
    answer = rest.post(
        f"{SESSION}/messages", content=b"{}", headers={"x-test-grpc-error": "DEADLINE_EXCEEDED"}
    )

    refused(answer, 504, "timeout", {"outcome": "indeterminate"})
