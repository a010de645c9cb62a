"""The way of a WUTS call: token, media type, body, method, answer."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import DecodeError
from ulid import ULID
from wuts.v1 import messages_pb2 as pb

from server.auth.audit import AuditLog
from server.auth.bearer import bearer_of, refused
from server.auth.user_tokens import WutsPrincipal
from server.errors import Code, WagateError
from server.rpc import json_codec
from server.rpc.auditing import kept
from server.rpc.rest_body import REST_MARK, body_of
from server.rpc.wuts.errors import WrongMediaTypeError, envelope, grpc_code, rich_status, status_and_word
from server.rpc.wuts.servicer import MessagesServicer

log = logging.getLogger(__name__)

SERVICE: Final = pb.DESCRIPTOR.services_by_name["Messages"]
"""The service, for reflection and health."""
_PATH: Final = f"/{SERVICE.full_name}/DeleteMessage"
OPERATION: Final = "deleteMessage"
"""What the audit calls it."""
_JSON: Final = "application/json"

Context = grpc.aio.ServicerContext[object, object]

if TYPE_CHECKING:
    _GenericRpcHandler = grpc.GenericRpcHandler[Any, Any]
else:  # generic in the stubs alone
    _GenericRpcHandler = grpc.GenericRpcHandler


class Authenticates(Protocol):
    """Knows the tokens of the WUTS API."""

    async def authenticate(self, token: str) -> WutsPrincipal:
        """Returns the caller.

        Raises:
            WagateError: UNAUTHORIZED for anything but a token in force.
        """
        ...


class WutsHandler(_GenericRpcHandler):
    """Serves the WUTS API, natively and by REST."""

    def __init__(self, servicer: MessagesServicer, authenticator: Authenticates, audit: AuditLog) -> None:
        """Serves `servicer` to whom `authenticator` knows; `audit` keeps who deleted what."""
        self._audit = audit
        self._servicer = servicer
        self._authenticator = authenticator
        self._native = grpc.unary_unary_rpc_method_handler(
            self._run_native,
            request_deserializer=bytes,
            response_serializer=pb.DeleteMessageResponse.SerializeToString,
        )
        self._rest = grpc.unary_unary_rpc_method_handler(
            self._run_rest, request_deserializer=bytes, response_serializer=HttpBody.SerializeToString
        )

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Finds the handler of a call."""
        if handler_call_details.method != _PATH:
            return None
        metadata = handler_call_details.invocation_metadata
        came_by_rest = any(name == REST_MARK for name, _ in metadata)
        return self._rest if came_by_rest else self._native

    async def _run_native(self, raw: bytes, context: Context) -> pb.DeleteMessageResponse:
        try:
            return await self._run(context, lambda: _request(raw))
        except WagateError as error:
            status = rich_status(error)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            await context.abort(grpc_code(error), error.message)
            raise AssertionError from error

    async def _run_rest(self, raw: bytes, context: Context) -> HttpBody:
        body = HttpBody()

        def read() -> pb.DeleteMessageRequest:
            request = _request(raw)
            body.CopyFrom(body_of(request))
            media_type = body.content_type.partition(";")[0].strip().lower()
            if media_type not in {"", _JSON}:
                raise WrongMediaTypeError(media_type)
            json_codec.decode(body.data, request)
            return request

        try:
            response = await self._run(context, read)
        except WagateError as error:
            http, _ = status_and_word(error)
            headers = [("x-http-status", str(http))]
            if error.retry_after is not None:
                headers.append(("retry-after", str(error.retry_after)))
            if error.code is Code.UNAUTHORIZED:
                headers.append(("www-authenticate", "Bearer"))
            await context.send_initial_metadata(tuple(headers))
            return HttpBody(content_type=_JSON, data=envelope(error, body.data))
        return HttpBody(content_type=_JSON, data=json_codec.encode(response))

    async def _run(
        self, context: Context, read: Callable[[], pb.DeleteMessageRequest]
    ) -> pb.DeleteMessageResponse:
        """Runs a call; `read` gives its request, which is looked at only after the token."""
        metadata = _metadata(context)
        asked: list[pb.DeleteMessageRequest] = []

        async def serve() -> pb.DeleteMessageResponse:
            asked.append(read())
            return await self._servicer.delete_message(asked[0], principal)

        def target(_response: pb.DeleteMessageResponse | None) -> str:
            named = [f"{request.chat_jid}/{request.message_id}" for request in asked]
            return "/".join([principal.session_id, *named])

        try:
            principal = await self._authenticator.authenticate(_token(metadata))
            caller = principal.as_principal()
            return await kept(self._audit, caller, OPERATION, metadata, target=target, serve=serve)
        except WagateError:
            raise
        except Exception as error:
            reference = str(ULID())
            log.exception("call %s failed (reference %s)", _PATH, reference)
            raise WagateError(
                Code.INTERNAL, f"a defect of the gateway; its log has reference {reference}"
            ) from error


def _request(raw: bytes) -> pb.DeleteMessageRequest:
    try:
        return pb.DeleteMessageRequest.FromString(raw)
    except DecodeError:
        raise WagateError(Code.VALIDATION_ERROR, "the request cannot be read") from None


def _metadata(context: Context) -> Mapping[str, str]:
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


def _token(metadata: Mapping[str, str]) -> str:
    token = bearer_of(metadata)
    if token is None:
        raise refused("no token: send 'Authorization: Bearer <token>'")
    return token
