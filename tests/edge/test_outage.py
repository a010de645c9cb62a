"""The node is away, comes back, or is lost in the middle of a call."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import pytest

from tests.edge.envelope import refused
from tests.edge.gateway import Gateway, eventually

SESSION = "/api/v1/sessions/S1"


def test_without_a_node_calls_are_503_and_recover_with_it(
    own_gateway: Gateway, own_rest: httpx.Client
) -> None:
    assert own_rest.get(SESSION).status_code == 200
    own_gateway.kill_node()

    for answer in (own_rest.get(SESSION), own_rest.post(f"{SESSION}/messages", content=b"{}")):
        refused(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
    with grpc.insecure_channel(own_gateway.target) as channel, pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary("/wagate.v1.Sessions/GetSession")(b"")
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE

    own_gateway.start_node()
    assert own_rest.get(SESSION).status_code == 200


def test_a_call_waits_for_a_node_that_is_just_starting(own_gateway: Gateway, own_rest: httpx.Client) -> None:
    own_gateway.kill_node()
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(own_gateway.start_node)
        eventually(
            lambda: own_rest.post(f"{SESSION}:start", headers={"x-test-name": "wait"}).is_success, "served"
        )
        starting.result()

    assert own_gateway.calls == ["/wagate.v1.Sessions/StartSession wait"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "details"),
    [
        ("POST", f"{SESSION}/messages", 504, "timeout", {"outcome": "indeterminate"}),
        ("DELETE", SESSION, 504, "timeout", {"outcome": "indeterminate"}),
        ("GET", SESSION, 503, "unavailable", {}),
    ],
)
def test_a_call_whose_node_is_lost_is_not_made_twice_nor_called_undone(
    own_gateway: Gateway,
    own_rest: httpx.Client,
    method: str,
    path: str,
    status: int,
    code: str,
    details: dict[str, str],
) -> None:
    headers = {
        "x-test-delay": "30",
        "x-test-name": "once",
        # What would make Envoy repeat it, were a caller's word taken.
        "x-envoy-retry-on": "5xx,reset,gateway-error,retriable-4xx",
        "x-envoy-max-retries": "5",
        "x-envoy-retry-grpc-on": "unavailable",
    }
    killer = threading.Thread(
        target=lambda: (
            eventually(lambda: bool(own_gateway.calls), "the call arrived"),
            own_gateway.kill_node(),
            own_gateway.start_node(),
        )
    )
    killer.start()
    answer = own_rest.request(method, path, headers=headers)
    killer.join()

    refused(answer, status, code, details)
    assert len(own_gateway.calls) == 1
