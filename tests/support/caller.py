"""Calls to a node's gRPC server: natively, and as Envoy passes on what came by REST."""

import json
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from wagate.v1 import events_pb2, events_pb2_grpc

from server.rpc.rest_body import REST_BODY, REST_MARK
from server.rpc.serving import SERVICES

STREAMS: dict[str, MethodDescriptor] = {
    method.name: method for service in SERVICES for method in service.methods if method.server_streaming
}
"""Those of the contract's methods that answer with a stream."""
METHODS: dict[str, MethodDescriptor] = {
    method.name: method for service in SERVICES for method in service.methods if not method.server_streaming
}
"""The contract's methods by their names, without those that answer with a stream."""


def path_of(method: str) -> str:
    """The gRPC path of a method."""
    descriptor = METHODS.get(method) or STREAMS[method]
    return f"/{descriptor.containing_service.full_name}/{descriptor.name}"


@dataclass
class Answer:
    """What a REST caller would get.

    Attributes:
        status: the HTTP status.
        raw: the body as it stands.
        headers: the initial metadata.
    """

    status: int
    raw: bytes
    headers: dict[str, str]
    json: Any = field(init=False)

    def __post_init__(self) -> None:
        """Reads the body."""
        self.json = json.loads(self.raw) if self.raw else None


@dataclass
class Caller:
    """Somebody with a token.

    Attributes:
        token: an api-key, "" for none.
    """

    channel: grpc.aio.Channel
    token: str

    def _metadata(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"), *more) if self.token else more

    async def native(self, method: str, **fields: Any) -> Any:
        """Calls a method with a typed request; returns the typed response or raises `AioRpcError`."""
        descriptor = METHODS[method]
        request = GetMessageClass(descriptor.input_type)(**fields)
        call = self.channel.unary_unary(
            path_of(method),
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(descriptor.output_type).FromString,
        )
        return await call(request, metadata=self._metadata(), timeout=20)

    def subscribe(
        self, **fields: Any
    ) -> "grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, events_pb2.Event]":
        """Follows the events, with the fields of the request."""
        request = events_pb2.SubscribeRequest(**fields)
        return events_pb2_grpc.EventsStub(self.channel).Subscribe(request, metadata=self._metadata())

    def listen(
        self, headers: tuple[tuple[str, str], ...] = (), **fields: Any
    ) -> "grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, HttpBody]":
        """Follows the events as Envoy does for a REST caller."""
        follow: Any = self.channel.unary_stream(
            path_of("Subscribe"),
            request_serializer=events_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=HttpBody.FromString,
        )
        metadata = self._metadata((REST_MARK, "/api/v1/events"), *headers)
        call: grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, HttpBody] = follow(
            events_pb2.SubscribeRequest(**fields), metadata=metadata
        )
        return call

    async def rest(self, method: str, body: object = None, **fields: Any) -> Answer:
        """Calls a method as Envoy does.

        Args:
            method: its name.
            body: bytes as they are, anything else as JSON, None for no body.
            fields: what Envoy took from path and query.
        """
        request = GetMessageClass(METHODS[method].input_type)(**fields)
        return await self.rest_raw(method, request, body)

    async def rest_raw(self, method: str, request: Message, body: object = None) -> Answer:
        """The same with a request message."""
        raw = request.SerializeToString()
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            raw += _field(REST_BODY, HttpBody(content_type="application/json", data=data))
        return await self.rest_bytes(method, raw)

    async def rest_bytes(self, method: str, raw: bytes) -> Answer:
        """The same with a request's bytes."""
        send = self.channel.unary_unary(
            path_of(method), request_serializer=bytes, response_deserializer=HttpBody.FromString
        )
        call = send(raw, metadata=self._metadata((REST_MARK, "/api/v1/x")), timeout=20)
        answer = await call
        assert answer.content_type == "application/json"
        headers = {name: str(value) for name, value in await call.initial_metadata()}
        # As Envoy does: without the header it is 200.
        return Answer(int(headers.get("x-http-status", "200")), answer.data, headers)


def _field(number: int, message: Message) -> bytes:
    """A message as the length-delimited field of another."""
    data = message.SerializeToString()
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
