"""`DELETE /messages/delete` of the WUTS API, through Envoy, over a domain in memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2
from wuts.v1 import messages_pb2 as pb
from wuts.v1 import messages_pb2_grpc

from tests.edge.gateway import Gateway
from tests.support.wuts_node import AWAY_TOKEN, BROKEN, CHAT, OLD, OTHERS, OWN, REFUSED, SILENT, TOKEN

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
REASON = "Sent to wrong contact"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("wuts"), node="tests.support.wuts_node") as running:
        yield running


def delete(gateway: Gateway, body: object, token: str = TOKEN, **headers: str) -> httpx.Response:
    """Asks; `body` is JSON unless it is bytes."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return httpx.request(
        "DELETE",
        f"{gateway.url}/messages/delete",
        headers={"content-type": "application/json", "authorization": f"Bearer {token}", **headers},
        timeout=20,
        **content,
    )


def refused(answer: httpx.Response, status: int, word: str) -> list[dict[str, Any]]:
    """Checks the envelope; returns the fields that it names."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    named: list[dict[str, Any]] = body.pop("validation", [])
    assert set(body) == {"success", "error", "error_code", "timestamp"}
    assert (body["success"], body["error_code"]) == (False, word)
    assert body["error"]
    assert TIME.fullmatch(body["timestamp"])
    return named


def test_a_message_is_deleted_for_everyone(gateway: Gateway) -> None:
    asked = datetime.now(UTC).replace(microsecond=0)
    answer = delete(
        gateway,
        {
            "messageId": OWN,
            "chatJid": CHAT,
            "deleteType": "for_everyone",
            "reason": REASON,
            "validateOwnership": True,
        },
    )

    assert answer.status_code == 200
    body = answer.json()
    assert TIME.fullmatch(body["deleted_at"])
    assert datetime.fromisoformat(body.pop("deleted_at")) >= asked
    assert body["metadata"].pop("processing_time_ms") >= 0
    assert body == {
        "success": True,
        "message_id": OWN,
        "delete_type": "for_everyone",
        "chat_jid": CHAT,
        "metadata": {"time_elapsed_minutes": 5, "within_time_limit": True, "reason": REASON},
    }


def test_without_a_type_it_is_for_everyone_and_without_a_reason_empty(gateway: Gateway) -> None:
    body = delete(gateway, {"messageId": OTHERS, "chatJid": CHAT}).json()
    assert (body["success"], body["delete_type"], body["metadata"]["reason"]) == (True, "for_everyone", "")


def test_for_me_asks_neither_for_time_nor_for_a_connection(gateway: Gateway) -> None:
    body = {"messageId": OLD, "chatJid": CHAT, "deleteType": "for_me"}
    for token in (TOKEN, AWAY_TOKEN):
        answer = delete(gateway, body, token)
        assert (answer.status_code, answer.json()["delete_type"]) == (200, "for_me")
        assert answer.json()["metadata"]["within_time_limit"] is False


@dataclass(frozen=True)
class Refusal:
    """A deletion that is refused, and how."""

    message: str
    status: int
    word: str
    own_only: bool = False
    token: str = TOKEN


REFUSALS = (
    Refusal("NOTHING", 404, "NOT_FOUND"),
    Refusal(OTHERS, 403, "FORBIDDEN", own_only=True),
    Refusal(OLD, 400, "TIME_LIMIT_EXCEEDED"),
    Refusal(OWN, 503, "DEVICE_NOT_READY", token=AWAY_TOKEN),
    Refusal(REFUSED, 500, "DEVICE_ERROR"),
    Refusal(SILENT, 504, "TIMEOUT"),
    Refusal(BROKEN, 500, "INTERNAL"),
    Refusal(OWN, 401, "UNAUTHORIZED", token="0f8fad5b-d9cb-469f-a165-000000000000"),
)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.word)
def test_refusals_by_rest_and_grpc(gateway: Gateway, case: Refusal) -> None:
    body = {"messageId": case.message, "chatJid": CHAT, "validateOwnership": case.own_only}
    answer = delete(gateway, body, case.token)
    assert refused(answer, case.status, case.word) == []
    assert "secret" not in answer.text
    assert ("www-authenticate" in answer.headers) == (case.status == 401)

    request = pb.DeleteMessageRequest(
        message_id=case.message, chat_jid=CHAT, validate_ownership=case.own_only
    )
    with grpc.insecure_channel(gateway.target) as channel, pytest.raises(grpc.RpcError) as failure:
        messages_pb2_grpc.MessagesStub(channel).DeleteMessage(
            request, metadata=(("authorization", f"Bearer {case.token}"),), timeout=20
        )
    error: Any = failure.value
    told = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert told.details[0].Unpack(info)
    assert (info.reason, info.domain) == (case.word, "wuts")


def test_the_same_over_grpc(gateway: Gateway) -> None:
    request = pb.DeleteMessageRequest(message_id=OWN, chat_jid=CHAT, reason=REASON)
    with grpc.insecure_channel(gateway.target) as channel:
        answer = messages_pb2_grpc.MessagesStub(channel).DeleteMessage(
            request, metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=20
        )
    assert (answer.success, answer.message_id, answer.metadata.reason) == (True, OWN, REASON)
    assert answer.delete_type == pb.DELETE_TYPE_FOR_EVERYONE


def test_what_cannot_be_read_over_grpc_deletes_nothing(gateway: Gateway) -> None:
    good = pb.DeleteMessageRequest(message_id=OWN, chat_jid=CHAT).SerializeToString()
    with grpc.insecure_channel(gateway.target) as channel:
        send = channel.unary_unary(
            "/wuts.v1.Messages/DeleteMessage", request_serializer=bytes, response_deserializer=bytes
        )
        for raw in (good + b"\x18\x63", good + b"\x0f", b"\x0a\x01\xff"):  # type 99, no wire type, no UTF-8
            with pytest.raises(grpc.RpcError) as failure:
                send(raw, metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=20)
            assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"messageId": None, "chatJid": None}),
        ({"messageId": "", "chatJid": CHAT}, {"messageId": ""}),
        ({"messageId": OWN, "chatJid": "Ada"}, {"chatJid": "Ada"}),
        ({"messageId": "a\r\nb", "chatJid": CHAT}, {"messageId": "a\r\nb"}),
        ({"messageId": "x" * 200, "chatJid": CHAT}, {"messageId": "x" * 100}),
        ({"messageId": OWN, "chatJid": CHAT, "deleteType": "for_us"}, {"deleteType": "for_us"}),
        ({"messageId": OWN, "chatJid": CHAT, "validateOwnership": "yes"}, {"validateOwnership": "yes"}),
        ({"messageId": OWN, "chatJid": CHAT, "reason": "x" * 1001}, {"reason": "x" * 100}),
        ({"messageId": OWN, "chatJid": CHAT, "reason": 5}, {"reason": "..."}),
        ({"messageId": OWN, "chatJid": CHAT, "colour": True}, {"colour": True}),
        (b"", {"messageId": None, "chatJid": None}),
        (b"{", {}),
        (b"[]", {}),
        (b'{"messageId": "\xff"}', {}),
        (b'{"messageId": "\\ud800", "chatJid": "1"}', {"messageId": "?"}),
        (b"[" * 100_000, {}),
    ],
    ids=str,
)
def test_bodies_that_do_not_fit(gateway: Gateway, body: object, fields: dict[str, object]) -> None:
    named = refused(delete(gateway, body), 400, "VALIDATION_ERROR")
    assert {problem["field"]: problem["value"] for problem in named} == fields
    assert all(problem["message"] for problem in named)


@pytest.mark.parametrize("header", ["", "Basic YWRhOmFkYQ==", "Bearer", TOKEN])
def test_without_a_token_nothing_else_is_looked_at(gateway: Gateway, header: str) -> None:
    answer = delete(gateway, b"{", authorization=header)
    refused(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_what_is_no_json_is_an_unsupported_media_type(gateway: Gateway) -> None:
    good = {"messageId": OWN, "chatJid": CHAT}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        answer = delete(gateway, good, **{"content-type": kind})
        assert refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE") == []
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert delete(gateway, good, **{"content-type": kind}).status_code == 200
