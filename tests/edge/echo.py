"""A node that tells what reached it: a real gRPC server behind the edge, as a process of its own.

`python -m tests.edge.echo PORT LEDGER` keeps the node's side of the contract: REST calls get OK, an
HttpBody and x-http-status. What a call asks for in `x-test-*` metadata is done: a status, a delay, a
plain gRPC error, a big answer. Every unary call that arrived whole is first written to LEDGER.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from wagate.v1 import chats_pb2, messages_pb2, sessions_pb2
from wuts.v1 import messages_pb2 as wuts_pb2

from server.supervisor.edge import SHIPPED

SERVICES = [
    module.DESCRIPTOR.services_by_name[name].full_name
    for module, name in (
        (sessions_pb2, "Sessions"),
        (messages_pb2, "Messages"),
        (chats_pb2, "Chats"),
        (wuts_pb2, "Messages"),
    )
]
ANSWER_HEADERS = ("retry-after", "www-authenticate")

Context = grpc.aio.ServicerContext[bytes, bytes]
Metadata = dict[str, str]


if TYPE_CHECKING:
    _GenericRpcHandler = grpc.GenericRpcHandler[bytes, bytes]
else:  # generic in the stubs alone
    _GenericRpcHandler = grpc.GenericRpcHandler


def request_class(pool: descriptor_pool.DescriptorPool, method: str) -> type[Any]:
    service, _, name = method[1:].partition("/")
    return message_factory.GetMessageClass(pool.FindServiceByName(service).methods_by_name[name].input_type)


def edge_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in FileDescriptorSet.FromString((SHIPPED / "rest.binpb").read_bytes()).file:
        pool.Add(file)
    return pool


EDGE = edge_pool()


def rest_call(method: str, request: bytes) -> dict[str, Any]:
    """What the node's own message class reads of a REST request, and the raw body beside it."""
    fields = request_class(descriptor_pool.Default(), method).FromString(request)
    bound = request_class(EDGE, method).FromString(request)
    has_body = "rest_body" in bound.DESCRIPTOR.fields_by_name
    return {
        "method": method,
        "fields": json_format.MessageToDict(fields),
        "body": bound.rest_body.data.decode(errors="replace") if has_body else None,
    }


class Echo(_GenericRpcHandler):
    """Answers every method that is neither reflection nor health."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        method = handler_call_details.method
        if not method.startswith(("/wagate.", "/wuts.")):
            return None
        pairs = handler_call_details.invocation_metadata
        metadata = {str(key): value for key, value in pairs if isinstance(value, str)}
        if "x-test-stream" in metadata:
            return grpc.unary_stream_rpc_method_handler(_stream)
        return grpc.unary_unary_rpc_method_handler(_unary(method, metadata, self._ledger))


def _unary(method: str, metadata: Metadata, ledger: Path) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def answer(request: bytes, context: Context) -> bytes:
        with ledger.open("a") as lines:
            lines.write(f"{method} {metadata.get('x-test-name', '')}\n")
        # A node that takes its time is what the caller asked to see.
        await asyncio.sleep(float(metadata.get("x-test-delay", "0")))
        if error := metadata.get("x-test-grpc-error"):
            await context.abort(grpc.StatusCode[error], "an inner detail that no caller may see")
        if "x-envoy-original-path" not in metadata:
            told = {"native": method, "request": request.hex(), "metadata": metadata}
            return json.dumps(told).encode()
        headers = [("x-http-status", metadata.get("x-test-status", "200"))]
        headers += [
            (name, metadata[f"x-test-{name}"]) for name in ANSWER_HEADERS if f"x-test-{name}" in metadata
        ]
        await context.send_initial_metadata(tuple(headers))
        body = HttpBody(content_type="application/json", data=_data(method, request, metadata))
        return body.SerializeToString()

    return answer


def _data(method: str, request: bytes, metadata: Metadata) -> bytes:
    if size := metadata.get("x-test-size"):
        return b'"' + b"x" * (int(size) - 2) + b'"'
    try:
        return json.dumps({**rest_call(method, request), "metadata": metadata}).encode()
    except DecodeError:
        return json.dumps({"undecodable": request.hex()}).encode()


async def _stream(_request: bytes, _context: Context) -> AsyncIterator[bytes]:
    for number in range(3):
        yield str(number).encode()


async def main(port: int, ledger: Path) -> None:
    """Serves until it is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 4 << 20)])
    state = health.aio.HealthServicer()  # type: ignore[attr-defined] # missing in the stubs
    await state.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    reflection.enable_server_reflection([*SERVICES, reflection.SERVICE_NAME, health.SERVICE_NAME], server)
    server.add_generic_rpc_handlers((Echo(ledger),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
