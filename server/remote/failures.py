"""From the client's errors to the one hierarchy, with the command line's words for who does not answer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from wagate.client import GatewayError, UnreachableError

from server.errors import Code, WagateError
from server.remote.place import Place


@contextmanager
def told(place: Place) -> Iterator[None]:
    """Calls of the client in this block fail with a `WagateError`."""
    try:
        yield
    except GatewayError as error:
        raise error_of(error, place) from error


def error_of(error: GatewayError, place: Place) -> WagateError:
    """The error that the gateway told, or what it means that it told none.

    Args:
        error: of a call, or of a stream.
        place: where the call went to.
    """
    failure = error.__cause__
    if not isinstance(failure, grpc.aio.AioRpcError) or failure.details() == error.message:
        return _repeated(error)  # the gateway's words, or the client's about a stream that fell silent
    words, code = failure.details() or failure.code().name, failure.code()
    if code is grpc.StatusCode.UNAVAILABLE:
        return WagateError(Code.UNAVAILABLE, _away(words, place))
    if code in {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN}:
        return WagateError(
            Code.UNAVAILABLE, f"what answers at {place.url} is no wagate, or another release of it ({words})"
        )
    if isinstance(error, UnreachableError):
        # The edge can only cut off what a node that died had begun.
        return WagateError(
            Code.TIMEOUT, f"the connection to {place.url} broke during the call ({words})", error.details
        )
    return WagateError(Code(error.code), f"{place.url}: {words}")


def _repeated(error: GatewayError) -> WagateError:
    if isinstance(error, UnreachableError):
        return WagateError(Code.UNAVAILABLE, error.message)
    code = Code(error.code) if error.code in set(Code) else Code.INTERNAL  # a later release's word
    wait = None if error.retry_after is None else math.ceil(error.retry_after)
    return WagateError(code, error.message, error.details, retry_after=wait)


def _away(words: str, place: Place) -> str:
    if "upstream" in words or "no healthy" in words:  # Envoy's own answer
        return f"the gateway at {place.url} answers, but its node does not: it starts, or it is down"
    if "SSL" in words or "certificate" in words.lower() or "handshake" in words.lower():
        return f"no TLS connection to {place.url}: its certificate is not trusted, or it speaks no TLS"
    return f"nothing answers at {place.url}: the gateway is not running there, or something is in the way"
