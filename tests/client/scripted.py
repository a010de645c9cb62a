"""A gateway that answers what a test says, over the wire, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import Message
from wagate.v1 import events_pb2

from server.errors import WagateError
from server.rpc.status import GRPC, rich_status

if TYPE_CHECKING:
    _GenericRpcHandler = grpc.GenericRpcHandler[Any, Any]
else:  # generic in the stubs alone
    _GenericRpcHandler = grpc.GenericRpcHandler

Answer = Message | WagateError | grpc.StatusCode | None
"""A message; an error as the gateway tells it; a bare status, as proxies and gRPC itself do; None: no end."""


@dataclass(frozen=True)
class Asked:
    """A call as it came.

    Attributes:
        remaining: seconds that its caller still waits.
    """

    method: str
    metadata: dict[str, str]
    remaining: float
    request: bytes


@dataclass
class Script(_GenericRpcHandler):
    """What is answered.

    Attributes:
        answers: to calls, one after the other; the last one again and again.
        streams: the same for streams of events, each with how it ends.
        asked: every call so far.
        left: set when a caller has ended a call without an end.
    """

    answers: list[Answer] = field(default_factory=list)
    streams: list[Sequence[Answer]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    address: str = ""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[object, object]":
        method = handler_call_details.method

        async def call(raw: bytes, context: Any) -> bytes:
            self._take(method, raw, context)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return (await self._told(answer, context)).SerializeToString()

        async def stream(raw: bytes, context: Any) -> None:
            self._take(method, raw, context)
            for answer in self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]:
                await context.write((await self._told(answer, context)).SerializeToString())

        if method == "/wagate.v1.Events/Subscribe":
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)

    def _take(self, method: str, raw: bytes, context: Any) -> None:
        metadata = dict(context.invocation_metadata())
        self.asked.append(Asked(method, metadata, context.time_remaining() or 0.0, raw))

    async def _told(self, answer: Answer, context: Any) -> Message:
        match answer:
            case Message():
                return answer
            case WagateError():
                details = ("grpc-status-details-bin", rich_status(answer).SerializeToString())
                context.set_trailing_metadata((details,))
                await context.abort(GRPC[answer.code], answer.message)
            case grpc.StatusCode():
                await context.abort(answer, "upstream connect error")
            case None:
                try:
                    await asyncio.Event().wait()
                finally:
                    self.left.set()
        raise AssertionError("abort and wait do not return")


def event(number: int, name: str = "message") -> events_pb2.Event:
    """An event whose id is that number."""
    return events_pb2.Event(schema="v1", id=f"evt_{number:026}", event=name)


@asynccontextmanager
async def scripted(
    *answers: Answer,
    streams: Sequence[Sequence[Answer]] = (),
    port: int = 0,
    tls: grpc.ServerCredentials | None = None,
) -> AsyncIterator[Script]:
    """Runs a gateway on loopback; port 0 is any free one."""
    script = Script(list(answers), list(streams))
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((script,))
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, tls) if tls else server.add_insecure_port(address)
    script.address = f"127.0.0.1:{bound}"
    await server.start()
    try:
        yield script
    finally:
        await server.stop(None)
