"""The errors of the WUTS API: its own words in its own envelope."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from server.errors import Code, WagateError
from server.messages.deletion import TooLateError
from server.rpc.status import GRPC

DOMAIN: Final = "wuts"
"""The domain of its `google.rpc.ErrorInfo`."""
VALUE_LENGTH: Final = 100
"""Characters of a wrong value that a refusal repeats."""

_WORDS: Final[Mapping[Code, tuple[int, str]]] = {
    Code.VALIDATION_ERROR: (400, "VALIDATION_ERROR"),
    Code.UNAUTHORIZED: (401, "UNAUTHORIZED"),
    Code.FORBIDDEN: (403, "FORBIDDEN"),
    Code.NOT_FOUND: (404, "NOT_FOUND"),
    Code.PAYLOAD_TOO_LARGE: (413, "PAYLOAD_TOO_LARGE"),
    Code.RATE_LIMITED: (429, "RATE_LIMITED"),
    Code.INTERNAL: (500, "INTERNAL"),
    Code.NOT_IMPLEMENTED: (501, "NOT_IMPLEMENTED"),
    # The session is there, but its device is not connected.
    Code.CONFLICT: (503, "DEVICE_NOT_READY"),
    # The device was connected, and WhatsApp said no.
    Code.WHATSAPP_ERROR: (500, "DEVICE_ERROR"),
    Code.UNAVAILABLE: (503, "UNAVAILABLE"),
    Code.TIMEOUT: (504, "TIMEOUT"),
}


class WrongMediaTypeError(WagateError):
    """The body is of a kind that the API does not read."""

    def __init__(self, media_type: str) -> None:
        super().__init__(
            Code.VALIDATION_ERROR,
            f"the body must be application/json, not {media_type[:VALUE_LENGTH]}",
        )


def status_and_word(error: WagateError) -> tuple[int, str]:
    """The HTTP status and the `error_code` of an error."""
    match error:
        case TooLateError():
            return 400, "TIME_LIMIT_EXCEEDED"
        case WrongMediaTypeError():
            return 415, "UNSUPPORTED_MEDIA_TYPE"
        case _:
            return _WORDS[error.code]


def envelope(error: WagateError, body: bytes) -> bytes:
    """The REST body of an error.

    Args:
        error: what went wrong. Where its details name fields, `validation` lists them.
        body: the request's, whose wrong values are repeated.
    """
    _, word = status_and_word(error)
    told: dict[str, object] = {
        "success": False,
        "error": error.message,
        "error_code": word,
        "timestamp": rfc3339(datetime.now(UTC)),
    }
    if word == "VALIDATION_ERROR" and error.details:
        given = _values(body)
        told["validation"] = [
            {"field": name, "message": problem, "value": _told_back(given.get(name))}
            for name, problem in error.details.items()
        ]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def rich_status(error: WagateError) -> status_pb2.Status:
    """The gRPC status of an error, with its word as the reason."""
    _, word = status_and_word(error)
    info = error_details_pb2.ErrorInfo(reason=word, domain=DOMAIN)
    packed = any_pb2.Any()
    packed.Pack(info)
    code: int = grpc_code(error).value[0]
    return status_pb2.Status(code=code, message=error.message, details=[packed])


def grpc_code(error: WagateError) -> grpc.StatusCode:
    """The gRPC status code of an error."""
    return grpc.StatusCode.FAILED_PRECONDITION if isinstance(error, TooLateError) else GRPC[error.code]


def rfc3339(moment: datetime) -> str:
    """A moment in UTC, with whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _values(body: bytes) -> Mapping[str, object]:
    """What the body gives for each field; nothing where it cannot be read."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _told_back(value: object) -> object:
    if isinstance(value, str):
        # Half a surrogate pair can be read but not written.
        return value[:VALUE_LENGTH].encode(errors="replace").decode()
    return value if value is None or isinstance(value, bool) else "..."
