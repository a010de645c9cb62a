"""The node is away, comes back, or is lost in the middle of a call."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import httpx
import pytest
from wagate.v1.sessions_pb2 import GetSessionRequest
from wagate.v1.sessions_pb2_grpc import SessionsStub

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
        SessionsStub(channel).GetSession(GetSessionRequest())
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


@dataclass(frozen=True)
class Lost:
    """A call, and what its caller has to be told when the node is lost with it."""

    method: str
    path: str
    status: int
    code: str
    details: dict[str, str] = field(default_factory=dict)


UNKNOWN = {"outcome": "indeterminate"}


@pytest.mark.parametrize(
    "lost",
    [
        Lost("POST", f"{SESSION}/messages", 504, "timeout", UNKNOWN),
        Lost("DELETE", SESSION, 504, "timeout", UNKNOWN),
        Lost("GET", SESSION, 503, "unavailable"),
    ],
)
def test_a_call_whose_node_is_lost_is_neither_made_twice_nor_called_undone(
    own_gateway: Gateway, own_rest: httpx.Client, lost: Lost
) -> None:
    headers = {
        "x-test-delay": "30",
        "x-test-name": "once",
        # What would make Envoy repeat it, were a caller's word taken.
        "x-envoy-retry-on": "5xx,reset,gateway-error,retriable-4xx",
        "x-envoy-max-retries": "5",
        "x-envoy-retry-grpc-on": "unavailable",
    }

    def lose_the_node() -> None:
        eventually(lambda: bool(own_gateway.calls), "the call arrived")
        own_gateway.kill_node()
        own_gateway.start_node()

    with ThreadPoolExecutor() as pool:
        losing = pool.submit(lose_the_node)
        answer = own_rest.request(lost.method, lost.path, headers=headers)
        losing.result()

    refused(answer, lost.status, lost.code, lost.details)
    assert len(own_gateway.calls) == 1
