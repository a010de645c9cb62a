"""What the contract says of its methods."""

from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from wagate.v1 import operation_pb2

from server.auth.principal import Capability
from server.rpc.chats import ChatsServicer
from server.rpc.endpoint import Call, Endpoint, endpoint
from server.rpc.events import EventsServicer
from server.rpc.groups import GroupsServicer
from server.rpc.messages import MessagesServicer
from server.rpc.realtime import RealtimeServicer
from server.rpc.serving import SERVICES
from server.rpc.sessions import SessionsServicer
from server.rpc.webhooks import WebhooksServicer

SERVICERS = {
    "Sessions": SessionsServicer,
    "Messages": MessagesServicer,
    "Chats": ChatsServicer,
    "Groups": GroupsServicer,
    "Events": EventsServicer,
    "Realtime": RealtimeServicer,
    "Webhooks": WebhooksServicer,
}
METHODS = [method for service in SERVICES for method in service.methods]
STREAMS = [method for method in METHODS if method.server_streaming]


async def never(_request: Any, _call: Call) -> Message:
    raise AssertionError


def names(method: MethodDescriptor) -> str:
    name: str = method.full_name
    return name


def rest_path(method: MethodDescriptor) -> tuple[str, str]:
    """The HTTP method and path template."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    assert verb is not None, f"{method.full_name} has no REST path"
    return verb, str(getattr(rule, verb))


def read(name: str) -> Endpoint:
    (method,) = (m for m in METHODS if m.name == name)
    return endpoint(method, never)


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_every_method_has_a_capability_and_a_rest_path(method: MethodDescriptor) -> None:
    operation = method.GetOptions().Extensions[operation_pb2.operation]
    assert operation.capability != operation_pb2.CAPABILITY_UNSPECIFIED
    assert rest_path(method)[1].startswith("/api/v1/")


@pytest.mark.parametrize("method", STREAMS, ids=names)
def test_every_stream_has_a_capability_and_only_reads(method: MethodDescriptor) -> None:
    found = endpoint(method, never)
    assert found.is_stream
    assert not found.is_change
    assert found.capability is Capability.READ


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_every_method_is_served(method: MethodDescriptor) -> None:
    assert callable(getattr(SERVICERS[method.containing_service.name], method.name))


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_what_the_path_and_body_name_are_fields_of_the_request(method: MethodDescriptor) -> None:
    found = endpoint(method, never)
    fields = set(found.request.DESCRIPTOR.fields_by_name)
    assert found.path_fields <= fields
    assert found.body in {"", "*"} | fields
    assert found.names_session == ("session" in found.path_fields)


def test_two_methods_never_share_a_path() -> None:
    assert len({rest_path(method) for method in METHODS}) == len(METHODS)


@pytest.mark.parametrize(
    ("name", "capability", "status", "body", "path_fields"),
    [
        ("CreateSession", Capability.MANAGE, 201, "*", set()),
        ("DeleteSession", Capability.MANAGE, 204, "", {"session"}),
        ("StopSession", Capability.MANAGE, 200, "", {"session"}),
        ("SendMessage", Capability.SEND, 200, "message", {"session"}),
        ("ListChats", Capability.READ, 200, "", {"session"}),
        ("ListChatMessages", Capability.READ, 200, "", {"session", "cid"}),
    ],
)
def test_the_documented_operations_are_read_as_documented(
    name: str, *, capability: Capability, status: int, body: str, path_fields: set[str]
) -> None:
    found = read(name)
    assert (found.capability, found.success_status, found.invalid_status) == (capability, status, 400)
    assert found.body == body
    assert set(found.path_fields) == path_fields


def test_a_method_without_a_capability_is_no_endpoint() -> None:
    # The health service is a method of somebody else's contract: it states no capability.
    from grpc_health.v1 import health_pb2  # noqa: PLC0415 - only this test is about it

    method = health_pb2.DESCRIPTOR.services_by_name["Health"].methods_by_name["Check"]
    with pytest.raises(ValueError, match=r"grpc\.health\.v1\.Health\.Check"):
        endpoint(method, never)
