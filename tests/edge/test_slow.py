"""Clients that are slow on purpose, and nodes that are slow by accident."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.edge.envelope import refused
from tests.edge.gateway import Gateway
from tests.edge.wire import Connection

LIMITS = {"request_headers_timeout": "0.3s", "request_timeout": "0.6s"}
SEND = "/api/v1/sessions/S1/messages"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("impatient"), limits=LIMITS, rest_timeout="0.5s") as running:
        yield running


@pytest.mark.parametrize(
    "beginning",
    [
        f"POST {SEND} HTTP/1.1\r\nhost: a\r\n",
        f"POST {SEND} HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{{",
        f"POST {SEND} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n",
    ],
)
def test_a_request_that_does_not_arrive_is_ended_and_never_reaches_the_node(
    impatient: Gateway, beginning: str
) -> None:
    before = impatient.calls
    connection = Connection(impatient.port)
    connection.send(beginning.encode())
    answer = connection.answer()
    connection.close()

    assert answer.status == 408
    error = json.loads(answer.body)["error"]
    assert (error["code"], error["details"]) == ("timeout", {"outcome": "not_sent"})
    assert impatient.calls == before


def test_a_node_that_does_not_answer_leaves_the_outcome_unknown(impatient: Gateway) -> None:
    answer = httpx.post(f"{impatient.url}{SEND}", content=b"{}", headers={"x-test-delay": "30"})

    refused(answer, 504, "timeout", {"outcome": "indeterminate"})


def test_the_shipped_limits_are_what_the_guide_says() -> None:
    root = Path(__file__).resolve().parents[2]
    guide = (root / "docs" / "operations.md").read_text()
    config = (root / "envoy.yaml").read_text()

    for limit in ("request_headers_timeout: 10s", "request_timeout: 60s", "timeout: 120s"):
        assert limit in config
    assert "10 s, 60 s to arrive" in guide
    assert "| REST call | 120 s" in guide
