"""A node over the network in memory that serves gRPC, and callers of every kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from server.auth.authenticator import Authenticator
from server.auth.principal import Capability
from server.rpc.serving import Serving
from server.whatsapp.memory import MemoryNetwork
from tests.support.caller import METHODS, Caller
from tests.support.memory_node import MemoryNode, memory_node

NUMBER = "628110000001"
ADA = "628120000001"
ADA_JID = f"{ADA}@s.whatsapp.net"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SESSION_METHODS = sorted(
    name for name, method in METHODS.items() if "session" in method.input_type.fields_by_name
)


@dataclass
class Office:
    """A node that serves, and callers of every kind."""

    node: MemoryNode
    network: MemoryNetwork
    address: str
    owner: Caller
    stranger: Caller

    def with_token(self, token: str) -> Caller:
        return Caller(self.owner.channel, token)

    async def with_only(self, *capabilities: Capability) -> Caller:
        _, secret = await self.node.keys.create(organization="acme", permissions=capabilities, label="")
        return self.with_token(secret)


@asynccontextmanager
async def open_office(
    tmp_path: Path, network: MemoryNetwork, *, webhook_allow_private: bool = False
) -> AsyncIterator[Office]:
    """Serves on a free port."""
    network.account(ADA)
    async with memory_node(
        tmp_path, network, send_timeout=1.0, webhook_allow_private=webhook_allow_private
    ) as node:
        servicers = node.gateway.servicers(node.tickets)
        serving = Serving(
            servicers,
            Authenticator(node.keys),
            node.sessions,
            "127.0.0.1:0",
            audit=node.audit,
            tickets=node.tickets,
        )
        address = f"127.0.0.1:{await serving.start()}"
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                _, owner = await node.keys.create(organization="acme", permissions=Capability, label="")
                _, stranger = await node.keys.create(organization="other", permissions=Capability, label="")
                yield Office(node, network, address, Caller(channel, owner), Caller(channel, stranger))
        finally:
            await serving.stop()


async def refused(call: Any) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, grpc.aio.AioRpcError]:
    """How a native call was refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type] # the stubs want a blocking call
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return caught.value.code(), info, caught.value


def text_to(to: str, text: str = "hello") -> dict[str, object]:
    return {"to": to, "type": "text", "text": text}
