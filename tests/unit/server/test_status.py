"""Errors on their way out."""

import json

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2

from server.errors import Code, WagateError, invalid_fields, not_found
from server.rpc.status import GRPC, HTTP, envelope, rich_status


def test_every_code_has_both_statuses() -> None:
    assert set(HTTP) == set(GRPC) == set(Code)
    assert all(400 <= status < 600 for status in HTTP.values())
    assert grpc.StatusCode.OK not in GRPC.values()


@pytest.mark.parametrize(
    ("code", "http"),
    [
        ("validation_error", 400),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("conflict", 409),
        ("payload_too_large", 413),
        ("rate_limited", 429),
        ("not_implemented", 501),
        ("whatsapp_error", 502),
        ("unavailable", 503),
        ("timeout", 504),
        ("internal", 500),
    ],
)
def test_codes_and_http_statuses_are_the_documented_ones(code: str, http: int) -> None:
    assert HTTP[Code(code)] == http


def test_what_grpc_clients_repeat_by_themselves_was_not_done() -> None:
    repeated = [code for code, status in GRPC.items() if status is grpc.StatusCode.UNAVAILABLE]
    assert repeated == [Code.UNAVAILABLE]


def test_the_envelope_is_the_documented_one() -> None:
    assert json.loads(envelope(not_found("session"))) == {
        "error": {"code": "not_found", "details": {}, "message": "session not found"}
    }


def test_the_envelope_keeps_characters_and_details() -> None:
    error = WagateError(Code.CONFLICT, "geht nicht: שלום", {"status": "starting", "n": 2})
    assert json.loads(envelope(error))["error"]["details"] == {"status": "starting", "n": 2}
    assert "שלום".encode() in envelope(error)


def test_a_native_caller_gets_the_code_as_reason_and_the_details() -> None:
    status = rich_status(WagateError(Code.CONFLICT, "no", {"status": "starting", "n": 2, "deep": {"a": [1]}}))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("conflict", "wagate")
    assert dict(info.metadata) == {"status": "starting", "n": "2", "deep": '{"a": [1]}'}
    assert status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert status.message == "no"


def test_a_native_caller_is_told_when_to_come_back() -> None:
    status = rich_status(WagateError(Code.UNAVAILABLE, "later", retry_after=20))
    retry = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay == duration_pb2.Duration(seconds=20)


def test_a_validation_error_names_its_fields_in_message_and_details() -> None:
    error = invalid_fields({"to": "required", "text": "too long"})
    assert error.message == "to: required; text: too long"
    assert error.details == {"to": "required", "text": "too long"}
