"""How a call is made, with the requests that were recorded for the REST API."""

import json
from collections.abc import Mapping
from typing import Any, Final

from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value

from server.rpc import json_codec

ADDRESS: Final = "127.0.0.1:8080"
_WIDTH: Final = 88


def request(method: MethodDescriptor, example: Mapping[str, Any] | None) -> Message:
    """The typed request of a recorded example; an empty one without.

    Args:
        method: of the generated code, not of a pool of its own.
        example: as tests/golden/operations has it.
    """
    message = GetMessageClass(method.input_type)()
    if example is None:
        return message
    names = {field.json_name: field.name for field in method.input_type.fields}
    for name, value in {**example["path"], **example["query"]}.items():
        if isinstance(value, list):
            getattr(message, names[name]).extend(value)
        else:
            setattr(message, names[name], value)
    if example["body"] is not None:
        rule: str = method.GetOptions().Extensions[annotations_pb2.http].body
        target = message if rule == "*" else getattr(message, rule)
        json_codec.decode(json.dumps(example["body"]).encode(), target)
    return message


def grpcurl(method: MethodDescriptor, message: Message) -> str:
    """The call as a command."""
    fields = json.dumps(json_format.MessageToDict(message), ensure_ascii=False)
    data = fields.replace("'", "'\\''")
    name = f"{method.containing_service.full_name}/{method.name}"
    return f"grpcurl -plaintext -H \"authorization: Bearer $KEY\" \\\n  -d '{data}' \\\n  {ADDRESS} {name}"


def python(method: MethodDescriptor, message: Message) -> str:
    """The call with the generated code, inside of a coroutine that has `channel` and `metadata`."""
    service = method.containing_service
    stub = f"{_module(service.file.name)}_grpc.{service.name}Stub(channel)"
    call = f"stub.{method.name}(request, metadata=metadata)"
    if method.server_streaming:
        calling = f"async for event in {call}:\n    print(event)"
    else:
        calling = f"answer = await {call}"
    return f"stub = {stub}\nrequest = {_expression(message)}\n{calling}"


def _module(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".proto") + "_pb2"


def _expression(message: Message, depth: int = 0) -> str:
    """Python that makes a message."""
    if isinstance(message, Struct | Value):
        return _free(message)
    fields = [f"{field.name}={_field(field, value, depth + 1)}" for field, value in message.ListFields()]
    name = f"{_module(message.DESCRIPTOR.file.name)}.{message.DESCRIPTOR.name}"
    line = f"{name}({', '.join(fields)})"
    if len(line) + 4 * depth <= _WIDTH or not fields:
        return line
    inner = "".join(f"{'    ' * (depth + 1)}{field},\n" for field in fields)
    return f"{name}(\n{inner}{'    ' * depth})"


def _field(field: FieldDescriptor, value: Any, depth: int) -> str:
    if field.is_repeated:
        return f"[{', '.join(_one(field, one, depth) for one in value)}]"
    return _one(field, value, depth)


def _one(field: FieldDescriptor, value: Any, depth: int) -> str:
    if field.message_type is not None:
        return _expression(value, depth)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number[value].name
        return f"{_module(field.enum_type.file.name)}.{known}"
    return _literal(value)


def _free(message: Struct | Value) -> str:
    """A message that may hold any JSON, as `json_format` makes it."""
    free = json_format.MessageToDict(message)
    return f"json_format.ParseDict({_literal(free)}, struct_pb2.{message.DESCRIPTOR.name}())"


def _literal(value: Any) -> str:
    """JSON's value as Python, in the quotes that formatters ask for."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(name)}: {_literal(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
