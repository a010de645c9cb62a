"""The way of every call: token, capability, session, body, method, answer.

That order is the documented one. A call that came by REST (Envoy alone can say so) brings its body as
raw JSON and gets exact JSON back; a native one brings and gets typed messages.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import DecodeError, Message
from ulid import ULID

from server.auth.audit import AuditLog
from server.auth.authenticator import Authenticator
from server.auth.principal import Principal
from server.auth.tickets import Grant
from server.errors import Code, WagateError
from server.rpc import json_codec
from server.rpc.auditing import Read, audited
from server.rpc.endpoint import Call, Endpoint, Method, StreamMethod
from server.rpc.entry import Entrance
from server.rpc.rest_answer import Context, StreamedAnswer, refusal, status
from server.rpc.rest_body import REST_MARK, body_of
from server.rpc.status import GRPC, rich_status
from server.rpc.streaming import Streams, Write
from server.sessions.service import Sessions

log = logging.getLogger(__name__)

_Metadata = Sequence[tuple[str, str]]


if TYPE_CHECKING:
    _GenericRpcHandler = grpc.GenericRpcHandler[Any, Any]
else:  # generic in the stubs alone
    _GenericRpcHandler = grpc.GenericRpcHandler


class Pipeline(_GenericRpcHandler):
    """Serves endpoints, natively and by REST."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        authenticator: Authenticator,
        sessions: Sessions,
        audit: AuditLog,
        *,
        streams: Streams,
        entrance: Entrance,
    ) -> None:
        """Serves `endpoints`."""
        self._authenticator = authenticator
        self._audit = audit
        self._sessions = sessions
        self._streams = streams
        self._entrance = entrance
        self._native = {
            e.path: self._stream_handler(e) if e.is_stream else self._native_handler(e) for e in endpoints
        }
        self._rest = {
            e.path: self._rest_stream_handler(e) if e.is_stream else self._rest_handler(e) for e in endpoints
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[object, object] | None":
        """Finds the handler of a call."""
        metadata = cast("_Metadata", handler_call_details.invocation_metadata)
        for name, _ in metadata:
            if name == REST_MARK:
                return self._rest.get(handler_call_details.method)
        return self._native.get(handler_call_details.method)

    def _native_handler(self, target: Endpoint) -> "grpc.RpcMethodHandler[object, object]":
        async def run(raw: bytes, context: Context) -> Message:
            try:
                return await self._run(target, _metadata(context), lambda: (_parse(target, raw), None))
            except WagateError as error:
                await _abort(context, error)

        # The bytes are parsed by the call itself: gRPC's library would answer UNKNOWN to what cannot be, log
        # a traceback for each, and ask for no token before.
        return _handler(run, bytes, target.response.SerializeToString)

    def _stream_handler(self, target: Endpoint) -> "grpc.RpcMethodHandler[object, object]":
        async def run(raw: bytes, context: Context) -> None:
            try:
                await self._stream(target, raw, _metadata(context), context.write)
            except WagateError as error:
                await _abort(context, error)

        return grpc.unary_stream_rpc_method_handler(run, request_deserializer=bytes, response_serializer=None)

    def _rest_stream_handler(self, target: Endpoint) -> "grpc.RpcMethodHandler[object, object]":
        async def run(raw: bytes, context: Context) -> None:
            answer = StreamedAnswer(target, context)
            try:
                await self._stream(target, raw, _metadata(context), answer.write)
            except WagateError as error:
                await answer.fail(error)

        return grpc.unary_stream_rpc_method_handler(run, request_deserializer=bytes, response_serializer=None)

    async def _stream(
        self, target: Endpoint, raw: bytes, metadata: Mapping[str, str], write: Write[bytes]
    ) -> None:
        with _defects_told(target):
            entry = await self._entrance.enter(metadata, _ticket(target, raw))
            request, call = await self._admit(
                target, entry.principal, metadata, lambda: (_parse(target, raw), None), entry.grant
            )
            parts = cast("StreamMethod", target.method)(request, call)
            await self._streams.run(entry.look, parts, write)

    def _rest_handler(self, target: Endpoint) -> "grpc.RpcMethodHandler[object, object]":
        async def run(raw: bytes, context: Context) -> HttpBody:
            try:
                response = await self._run(target, _metadata(context), lambda: _read(target, raw))
                code = target.status_of(response)
                data = b"" if code == 204 else json_codec.encode(response)
            except WagateError as error:
                headers, body = refusal(target, error)
                await context.send_initial_metadata(headers)
                return body
            if code != 200:
                # 200 is what Envoy answers by itself; saying it would cost every call another message.
                await context.send_initial_metadata(status(code))
            return HttpBody(content_type="application/json", data=data)

        return _handler(run, bytes, HttpBody.SerializeToString)

    async def _run(self, target: Endpoint, metadata: Mapping[str, str], read: Read) -> Message:
        """Runs a call; `read` gives its request and, for one that came by REST, its body."""
        with _defects_told(target):
            principal = await self._authenticator.authenticate(metadata)
            serve = partial(self._serve, target, principal, metadata)
            if target.is_change:
                return await audited(self._audit, target, principal, metadata, read=read, serve=serve)
            return await serve(read)

    async def _serve(
        self, target: Endpoint, principal: Principal, metadata: Mapping[str, str], read: Read
    ) -> Message:
        request, call = await self._admit(target, principal, metadata, read)
        return await cast("Method", target.method)(request, call)

    async def _admit(
        self,
        target: Endpoint,
        principal: Principal,
        metadata: Mapping[str, str],
        read: Read,
        grant: Grant | None = None,
    ) -> tuple[Message, Call]:
        """The checks between the token and the method itself."""
        principal.require(target.capability)
        request, body = read()
        session = None
        if target.names_session:
            session_id: str = request.session  # type: ignore[attr-defined] # names_session says so
            session = await self._sessions.find(principal, session_id)
        if body is not None and target.body:
            _fill(target, request, body)
        return request, Call(principal, metadata, session, grant)


@contextmanager
def _defects_told(target: Endpoint) -> Iterator[None]:
    """Logs what no caller may see, and tells them where it stands."""
    try:
        yield
    except WagateError:
        raise
    except Exception as error:
        reference = str(ULID())
        log.exception("call %s failed (reference %s)", target.path, reference)
        raise WagateError(
            Code.INTERNAL, f"a defect of the gateway; its log has reference {reference}"
        ) from error


async def _abort(context: Context, error: WagateError) -> NoReturn:
    """Ends a native call with an error."""
    rich = rich_status(error)
    trailers: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", rich.SerializeToString())]
    if error.retry_after is not None:
        trailers.append(("retry-after", str(error.retry_after)))
    context.set_trailing_metadata(tuple(trailers))
    await context.abort(GRPC[error.code], error.message)
    raise AssertionError from error


def _fill(target: Endpoint, request: Message, body: bytes) -> None:
    if target.body == "*":
        json_codec.decode(body, request, without=target.path_fields)
    else:
        json_codec.decode(body, getattr(request, target.body))


def _read(target: Endpoint, raw: bytes) -> tuple[Message, bytes]:
    request = _parse(target, raw)
    return request, body_of(request).data


def _ticket(target: Endpoint, raw: bytes) -> str:
    """The ticket in a request; whether that can be read at all is asked behind who sends it."""
    if "ticket" not in target.request.DESCRIPTOR.fields_by_name:
        return ""
    try:
        return str(target.request.FromString(raw).ticket)  # type: ignore[attr-defined] # it has that field
    except DecodeError:
        return ""


def _parse(target: Endpoint, raw: bytes) -> Message:
    try:
        return target.request.FromString(raw)
    except DecodeError:
        raise WagateError(
            Code.VALIDATION_ERROR, "the request cannot be read: not valid UTF-8, or no such message"
        ) from None


def _metadata(context: Context) -> Mapping[str, str]:
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


def _handler(
    run: Callable[..., Awaitable[Message]],
    read: Callable[[bytes], object],
    write: Callable[..., bytes],
) -> "grpc.RpcMethodHandler[object, object]":
    return grpc.unary_unary_rpc_method_handler(
        run,
        request_deserializer=read,
        response_serializer=write,
    )
