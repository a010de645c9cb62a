"""What the contract says of each method, read from its descriptor once."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from wagate.v1 import operation_pb2

from server.auth.principal import Capability, Principal
from server.store.records import Session

_CAPABILITIES: Mapping[int, Capability] = {
    operation_pb2.CAPABILITY_READ: Capability.READ,
    operation_pb2.CAPABILITY_SEND: Capability.SEND,
    operation_pb2.CAPABILITY_MANAGE: Capability.MANAGE,
}


@dataclass(slots=True)
class Call:
    """What is known of a call when its method runs.

    Attributes:
        principal: the caller, who holds the method's capability.
        metadata: names in lower case.
        is_async: whether the answer says that the work is not done yet.
    """

    principal: Principal
    metadata: Mapping[str, str]
    found: Session | None
    is_async: bool = False

    @property
    def session(self) -> Session:
        """The session that the request names; it exists and is the caller's organization's."""
        if self.found is None:
            raise AssertionError("this method's request names no session")
        return self.found

    def answer_async(self) -> None:
        """Says that what was asked is accepted and not done yet: REST has a status for it."""
        self.is_async = True


Method = Callable[[Any, Call], Awaitable[Message]]
"""A servicer's method: takes the request and the call, returns the response."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of the contract.

    Attributes:
        path: the gRPC path, `/package.Service/Method`.
        request, response: message classes.
        capability: what a caller needs.
        success_status: the HTTP status of success.
        invalid_status: the HTTP status of an invalid body.
        async_status: the HTTP status of what is accepted and not done yet.
        body: the request's field that the REST body fills, "*" for all that the path does not, "" for
            a method without a body.
        path_fields: request fields that the REST path fills.
        names_session: whether the request names a session.
    """

    path: str
    request: type[Message]
    response: type[Message]
    capability: Capability
    success_status: int
    invalid_status: int
    async_status: int
    body: str
    path_fields: frozenset[str]
    names_session: bool
    method: Method


def endpoint(descriptor: MethodDescriptor, method: Method) -> Endpoint:
    """Reads a method's descriptor.

    Args:
        descriptor: from the generated code.
        method: what runs it.

    Raises:
        ValueError: the contract forgets to say which capability the method needs.
    """
    options = descriptor.GetOptions()
    operation = options.Extensions[operation_pb2.operation]
    if operation.capability not in _CAPABILITIES:
        raise ValueError(f"the contract gives {descriptor.full_name} no capability")
    rule = options.Extensions[annotations_pb2.http]
    template: str = getattr(rule, rule.WhichOneof("pattern") or "get")
    return Endpoint(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        capability=_CAPABILITIES[operation.capability],
        success_status=operation.success_status or 200,
        invalid_status=operation.invalid_status or 400,
        async_status=operation.async_status,
        body=rule.body,
        path_fields=frozenset(re.findall(r"\{([a-z_]+)", template)),
        names_session="session" in descriptor.input_type.fields_by_name,
        method=method,
    )
