"""What a call can fail with: a class for each word that the gateway has for it."""

from collections.abc import Mapping
from typing import ClassVar, Final, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN: Final = "wagate"
"""The domain of the gateway's own `google.rpc.ErrorInfo`."""
INDETERMINATE: Final = "indeterminate"
"""The outcome of what may have been done, or not."""


class GatewayError(Exception):
    """A call that failed.

    Attributes:
        code: the API's word for it, such as "not_found".
        message: for people: what happened, to what, what to do.
        details: further facts, by name. What is no text in REST is JSON here.
        retry_after: seconds after which asking again makes sense; None where the gateway does not say.
    """

    code: ClassVar[str] = "unknown"

    def __init__(
        self, message: str, details: Mapping[str, str] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, str] = details or {}
        self.retry_after = retry_after

    @property
    def outcome(self) -> str:
        """What is known of the effect; "" where nothing was done.

        "indeterminate": nobody knows. "not_sent": nothing left the gateway. "under_way": an earlier call with
        the same idempotency key is not done yet. "sent": it was sent, and the gateway could not write that
        down.
        """
        return self.details.get("outcome", "")


class ValidationError(GatewayError):
    """The request itself is wrong; `details` names each field."""

    code = "validation_error"


class UnauthorizedError(GatewayError):
    """The key is missing, wrong, expired or revoked."""

    code = "unauthorized"


class ForbiddenError(GatewayError):
    """The key is good and lacks the capability."""

    code = "forbidden"


class NotFoundError(GatewayError):
    """There is no such thing, or it belongs to another organization."""

    code = "not_found"


class ConflictError(GatewayError):
    """Not in this state: `details["status"]` is the session's, `outcome` that of an earlier send."""

    code = "conflict"


class TooLargeError(GatewayError):
    """More than the gateway, or this client, takes."""

    code = "payload_too_large"


class RateLimitedError(GatewayError):
    """Over the session's rate; `retry_after` says when there is room."""

    code = "rate_limited"


class NotSupportedError(GatewayError):
    """Documented and not built yet, or a live action on a session that is not connected."""

    code = "not_implemented"


class WhatsAppError(GatewayError):
    """WhatsApp refused; `details["reason"]` is its word for why."""

    code = "whatsapp_error"


class UnavailableError(GatewayError):
    """The gateway cannot serve now, and nothing was done."""

    code = "unavailable"


class TimedOutError(GatewayError):
    """No answer in time; `outcome` says what is known of the effect."""

    code = "timeout"


class InternalError(GatewayError):
    """A defect of the gateway; its log has the reference that the message names."""

    code = "internal"


class UnreachableError(GatewayError):
    """The gateway could not be reached, or the connection broke before it had answered.

    The only one that is no word of the API. Unless the call only reads, nobody knows whether it took effect.
    """

    code = "unreachable"


_BY_CODE: Final[Mapping[str, type[GatewayError]]] = {
    kind.code: kind for kind in GatewayError.__subclasses__() if kind is not UnreachableError
}
_BY_STATUS: Final[Mapping[grpc.StatusCode, type[GatewayError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: ValidationError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthorizedError,
    grpc.StatusCode.PERMISSION_DENIED: ForbiddenError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooLargeError,
    grpc.StatusCode.UNIMPLEMENTED: NotSupportedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOutError,
}
"""What a status means that the gateway itself did not make: gRPC's library or a proxy did."""


def error_of(failure: grpc.aio.AioRpcError, address: str) -> GatewayError:
    """The error that a failed call stands for.

    Args:
        failure: as gRPC raised it.
        address: the gateway's, for the message.
    """
    rich = _rich_status(failure)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after: float | None = None
    for detail in rich.details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    if info.domain == DOMAIN:
        kind = _BY_CODE.get(info.reason, GatewayError)
        return kind(rich.message, dict(info.metadata), retry_after)
    kind = _BY_STATUS.get(failure.code(), UnreachableError)
    details = {"outcome": INDETERMINATE} if kind in {UnreachableError, TimedOutError} else {}
    said = f"{failure.code().name}: {failure.details() or 'no further words'}"
    return kind(f"no answer of the gateway's at {address} ({said})", details)


def _rich_status(failure: grpc.aio.AioRpcError) -> status_pb2.Status:
    try:
        found: status_pb2.Status | None = rpc_status.from_call(cast("grpc.Call", failure))
    except (DecodeError, ValueError):  # a proxy's, or somebody else's
        found = None
    return found or status_pb2.Status()
