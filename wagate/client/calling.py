"""The way of every call that is no stream: the key, a deadline, retries where they are safe, typed errors."""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.api import annotations_pb2
from google.protobuf import descriptor_pool
from wagate.client.errors import ConflictError, GatewayError, UnavailableError, UnreachableError, error_of
from wagate.v1 import operation_pb2

IDEMPOTENCY_KEY: Final = "idempotency-key"
FIRST_PAUSE: Final = 0.1
"""Seconds before a call is made again; doubled each time."""
LONGEST_PAUSE: Final = 2.0
STARTING: Final = "starting"
"""The status of a session that connects by itself; whoever else is not connected needs a person."""

if TYPE_CHECKING:
    _Interceptor = grpc.aio.UnaryUnaryClientInterceptor[Any, Any]
else:  # generic in the stubs alone
    _Interceptor = grpc.aio.UnaryUnaryClientInterceptor


@dataclass(frozen=True, slots=True)
class Repeating:
    """Whether a method may be called again when nobody knows what became of the first call.

    Attributes:
        by_nature: it only reads.
        by_key: an idempotency key makes it safe.
    """

    by_nature: bool
    by_key: bool


@cache
def repeating(method: str) -> Repeating:
    """What the contract says of a method.

    Args:
        method: its path, such as `/wagate.v1.Messages/SendMessage`.
    """
    service, _, name = method.removeprefix("/").partition("/")
    found = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(name)
    options = found.GetOptions()
    return Repeating(
        by_nature=bool(options.Extensions[annotations_pb2.http].get),
        by_key=operation_pb2.HEADER_IDEMPOTENCY_KEY in options.Extensions[operation_pb2.operation].headers,
    )


def pause_before(attempt: int) -> float:
    """Seconds to wait before a further attempt: longer each time, and never the same for all clients.

    Args:
        attempt: how many there were so far, from 1.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads clients out, hides nothing


class Calls(_Interceptor):
    """Makes each call what the contract wants it to be."""

    def __init__(self, address: str, key: str, timeout: float, *, retries: bool) -> None:
        """Prepares calls.

        Args:
            address: the gateway's, for messages.
            key: an api-key or another token.
            timeout: seconds for a call that has no timeout of its own, with everything that is tried again.
            retries: whether anything is.
        """
        self._address = address
        self._key = key
        self._timeout = timeout
        self._retries = retries

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: object,
    ) -> object:
        """Makes a call until it is answered, or there is no point in making it again.

        Raises:
            GatewayError: whatever it failed with, last.
        """
        loop = asyncio.get_running_loop()
        given = client_call_details.timeout
        end = loop.time() + (self._timeout if given is None else given)
        rule = repeating(_text(client_call_details.method))
        metadata = self._metadata(client_call_details, rule)
        attempt = 0
        while True:
            attempt += 1
            details = grpc.aio.ClientCallDetails(
                client_call_details.method,
                max(0.0, end - loop.time()),
                metadata,
                client_call_details.credentials,
                client_call_details.wait_for_ready,
            )
            call = await continuation(details, request)
            try:
                return await call
            except grpc.aio.AioRpcError as failure:
                error = error_of(failure, self._address)
                is_last = not self._retries or not _may_again(error, rule)
                pause = max(pause_before(attempt), error.retry_after or 0.0)
                if is_last or loop.time() + pause >= end:
                    raise error from failure
            await asyncio.sleep(pause)  # the gateway, or the way to it, needs a moment

    def _metadata(self, details: grpc.aio.ClientCallDetails, rule: Repeating) -> grpc.aio.Metadata:
        """The metadata of every attempt: a key that is made here is the same in all of them."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {self._key}"))
        if self._retries and rule.by_key and IDEMPOTENCY_KEY not in metadata:
            metadata.add(IDEMPOTENCY_KEY, str(uuid.uuid4()))
        return metadata


def _may_again(error: GatewayError, rule: Repeating) -> bool:
    match error:
        case UnavailableError():  # nothing was done
            return True
        case UnreachableError():
            return rule.by_nature or rule.by_key
        case ConflictError():
            # An attempt of ours, whose connection broke, is still being worked on. Or nothing was sent: the
            # session is coming back, as all do when a node was restarted.
            waits = error.outcome == "under_way" or error.details.get("status") == STARTING
            return rule.by_key and waits
        case _:
            return False


def _text(method: bytes | str) -> str:
    """A method's path: gRPC gives bytes, whatever the stubs say."""
    return method.decode() if isinstance(method, bytes) else method
