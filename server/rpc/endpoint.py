"""What the contract says of each method, read from its descriptor once."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from wagate.v1 import messages_pb2, operation_pb2

from server.auth.principal import Capability, Principal
from server.auth.tickets import Grant
from server.rpc.rest_body import REST_MARK
from server.store.records import Session

_CAPABILITIES: Mapping[int, Capability] = {
    operation_pb2.CAPABILITY_READ: Capability.READ,
    operation_pb2.CAPABILITY_SEND: Capability.SEND,
    operation_pb2.CAPABILITY_MANAGE: Capability.MANAGE,
}


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call when its method runs.

    Attributes:
        principal: the caller, who holds the method's capability.
        metadata: names in lower case.
        grant: what the caller's ticket opens; None for one with a token.
    """

    principal: Principal
    metadata: Mapping[str, str]
    found: Session | None
    grant: Grant | None = None

    @property
    def is_rest(self) -> bool:
        """Whether it came by REST."""
        return REST_MARK in self.metadata

    @property
    def session(self) -> Session:
        """The session that the request names; it exists and is the caller's organization's."""
        if self.found is None:
            raise AssertionError("this method's request names no session")
        return self.found


Method = Callable[[Any, Call], Awaitable[Message]]
"""A servicer's method: takes the request and the call, returns the response."""
StreamMethod = Callable[[Any, Call], AsyncGenerator[bytes, None]]
"""A servicer's method that answers with a stream: of messages or, for REST callers, of parts of the body."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the contract.

    Attributes:
        path: the gRPC path, `/package.Service/Method`.
        operation: the documented operation id, such as `sendMessage`.
        request, response: message classes.
        capability: what a caller needs.
        success_status: the HTTP status of success.
        invalid_status: the HTTP status of an invalid body.
        async_status: the HTTP status of what is accepted and not done yet, 0 where there is no such thing.
        body: the request's field that the REST body fills, "*" for all that the path does not, "" for
            a method without a body.
        path_fields: request fields that the REST path fills.
        path_order: the same in the path's order, outermost first.
        is_change: whether it changes something, which is audited: it needs more than `read`, and is no
            GET.
        names_session: whether the request names a session.
        is_stream: whether it answers with a stream, so that `method` is a `StreamMethod`.
    """

    path: str
    operation: str
    request: type[Message]
    response: type[Message]
    capability: Capability
    success_status: int
    invalid_status: int
    async_status: int
    body: str
    path_fields: frozenset[str]
    path_order: tuple[str, ...]
    is_change: bool
    names_session: bool
    is_stream: bool
    method: Method | StreamMethod

    def status_of(self, response: Message) -> int:
        """The HTTP status of a response: a message that waits to be sent is accepted, not done."""
        if self.async_status and getattr(response, "mode", None) == messages_pb2.SEND_MODE_ASYNC:
            return self.async_status
        return self.success_status


def endpoint(descriptor: MethodDescriptor, method: Method | StreamMethod) -> Endpoint:
    """Reads a method's descriptor.

    Args:
        descriptor: from the generated code.
        method: what runs it.

    Raises:
        ValueError: the contract forgets to say which capability the method needs, or has a stream that
            changes something: the audit does not know streams.
    """
    options = descriptor.GetOptions()
    operation = options.Extensions[operation_pb2.operation]
    if operation.capability not in _CAPABILITIES:
        raise ValueError(f"the contract gives {descriptor.full_name} no capability")
    rule = options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern") or "get"
    template: str = getattr(rule, verb)
    path_order = tuple(re.findall(r"\{([a-z_]+)", template))
    capability = _CAPABILITIES[operation.capability]
    is_change = verb != "get" and capability is not Capability.READ
    if descriptor.server_streaming and is_change:
        raise ValueError(f"{descriptor.full_name} answers with a stream: it can only read")
    return Endpoint(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        operation=descriptor.name[0].lower() + descriptor.name[1:],
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        capability=capability,
        success_status=operation.success_status or 200,
        invalid_status=operation.invalid_status or 400,
        async_status=operation.async_status,
        body=rule.body,
        path_fields=frozenset(path_order),
        path_order=path_order,
        is_change=is_change,
        names_session="session" in descriptor.input_type.fields_by_name,
        is_stream=descriptor.server_streaming,
        method=method,
    )
