"""Errors on their way out: the gRPC status and the REST envelope, each made in one place."""

import json
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from server.errors import Code, WagateError

HTTP: Final = {
    Code.VALIDATION_ERROR: 400,
    Code.UNAUTHORIZED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.RATE_LIMITED: 429,
    Code.NOT_IMPLEMENTED: 501,
    Code.WHATSAPP_ERROR: 502,
    Code.UNAVAILABLE: 503,
    Code.TIMEOUT: 504,
    Code.INTERNAL: 500,
}
"""The documented HTTP status of each code."""

GRPC: Final = {
    Code.VALIDATION_ERROR: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Code.PAYLOAD_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.NOT_IMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    # Not UNAVAILABLE, which clients retry by themselves: WhatsApp has said no.
    Code.WHATSAPP_ERROR: grpc.StatusCode.ABORTED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
}
"""The gRPC status of each code."""

DOMAIN: Final = "wagate"
"""The domain of every `google.rpc.ErrorInfo`."""


def envelope(error: WagateError) -> bytes:
    """The REST body of an error."""
    body = {"error": {"code": error.code, "details": error.details, "message": error.message}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def rich_status(error: WagateError) -> status_pb2.Status:
    """The gRPC status of an error, with its code as the reason and its details as metadata.

    Details that are no strings are given as JSON.
    """
    metadata = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in error.details.items()
    }
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN, metadata=metadata)
    ]
    if error.retry_after is not None:
        delay = duration_pb2.Duration(seconds=error.retry_after)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    code: int = GRPC[error.code].value[0]
    return status_pb2.Status(code=code, message=error.message, details=packed)
