"""From the gRPC status of a call that failed to the one error hierarchy: the way back of `rpc.status`."""

from typing import Any, Final

import grpc
from google.rpc import error_details_pb2, status_pb2

from server.errors import Code, WagateError
from server.remote.place import Place

_DETAILS: Final = "grpc-status-details-bin"
_DOMAIN: Final = "wagate"
_CODES: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: Code.VALIDATION_ERROR,
    grpc.StatusCode.UNAUTHENTICATED: Code.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: Code.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: Code.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION: Code.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Code.PAYLOAD_TOO_LARGE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Code.TIMEOUT,
}
"""What a status without the gateway's own words means: it comes from the edge, or from the way there."""


def error_of(failure: grpc.aio.AioRpcError, place: Place) -> WagateError:
    """The error that the gateway told, or what it means that it told none.

    Args:
        failure: of a call.
        place: where the call went to.
    """
    told = _told(failure)
    if told is not None:
        return told
    code = failure.code()
    if code in _CODES:
        return WagateError(_CODES[code], f"{place.url}: {failure.details() or code.name}")
    if code is grpc.StatusCode.UNAVAILABLE:
        return WagateError(Code.UNAVAILABLE, _away(failure.details() or "", place))
    if code in {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN}:
        return WagateError(
            Code.UNAVAILABLE,
            f"what answers at {place.url} is no wagate, or another release of it ({failure.details()})",
        )
    # The edge can only cut off what a node that died had begun.
    return WagateError(
        Code.TIMEOUT,
        f"the connection to {place.url} broke during the call ({failure.details() or code.name})",
        {"outcome": "indeterminate"},
    )


def _told(failure: grpc.aio.AioRpcError) -> WagateError | None:
    trailers: Any = failure.trailing_metadata() or ()
    packed = dict(trailers).get(_DETAILS)
    if not isinstance(packed, bytes):
        return None
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after: int | None = None
    for detail in status_pb2.Status.FromString(packed).details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.seconds
    if info.domain != _DOMAIN or info.reason not in set(Code):
        return None
    return WagateError(
        Code(info.reason), failure.details() or info.reason, dict(info.metadata), retry_after=retry_after
    )


def _away(words: str, place: Place) -> str:
    if "upstream" in words or "no healthy" in words:  # Envoy's own answer
        return f"the gateway at {place.url} answers, but its node does not: it starts, or it is down"
    if "SSL" in words or "certificate" in words.lower() or "handshake" in words.lower():
        return f"no TLS connection to {place.url}: its certificate is not trusted, or it speaks no TLS"
    return f"nothing answers at {place.url}: the gateway is not running there, or something is in the way"
