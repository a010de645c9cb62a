"""Answers to REST callers: the status, the headers and the body that Envoy makes real."""

import asyncio
from contextlib import suppress
from typing import Final

import grpc
from google.api.httpbody_pb2 import HttpBody

from server.errors import Code, WagateError
from server.rpc import sse
from server.rpc.endpoint import Endpoint
from server.rpc.status import HTTP, envelope

FAREWELL_SECONDS: Final = 1.0
"""How long a stream's last line may wait for a reader that takes nothing."""

Context = grpc.aio.ServicerContext[object, object]
Headers = tuple[tuple[str, str], ...]


def refusal(target: Endpoint, error: WagateError) -> tuple[Headers, HttpBody]:
    """How an operation answers that it failed: initial metadata, and the envelope."""
    is_invalid = error.code is Code.VALIDATION_ERROR
    headers = status(target.invalid_status if is_invalid else HTTP[error.code])
    if error.retry_after is not None:
        headers += (("retry-after", str(error.retry_after)),)
    if error.code is Code.UNAUTHORIZED:
        headers += (("www-authenticate", "Bearer"),)
    return headers, HttpBody(content_type="application/json", data=envelope(error))


def status(code: int) -> Headers:
    """The initial metadata that makes Envoy answer with an HTTP status."""
    return (("x-http-status", str(code)),)


class StreamedAnswer:
    """The answer of an operation that goes on: server-sent events, or one refusal in their place."""

    def __init__(self, target: Endpoint, context: Context) -> None:
        """Answers the call of `context`."""
        self._target = target
        self._context = context
        self._has_begun = False

    async def write(self, part: bytes) -> None:
        """Sends a part of the body; returns when the reader's flow control has taken it."""
        if self._has_begun:
            await self._send(HttpBody(data=part))
            return
        # Set first: a write that does not get through may have sent some of it.
        self._has_begun = True
        await self._context.send_initial_metadata(sse.HEADERS)
        await self._send(HttpBody(content_type=sse.CONTENT_TYPE, data=sse.OPENING + part))

    async def fail(self, error: WagateError) -> None:
        """Ends it with an error, with whatever an HTTP answer that may have begun can still say."""
        if not self._has_begun:
            headers, body = refusal(self._target, error)
            await self._context.send_initial_metadata(headers)
            await self._send(body)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._send(HttpBody(data=sse.farewell(error)))

    async def _send(self, body: HttpBody) -> None:
        await self._context.write(body.SerializeToString())
