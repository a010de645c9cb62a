"""What the protos say of events, as checks of the JSON that readers get."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from wagate.v1 import event_payloads_pb2, events_pb2

from server.rpc.json_codec import enum_words

_PYTHON: Final = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_INT32: int,
    FieldDescriptor.TYPE_INT64: int,
}


def payloads() -> Mapping[str, Descriptor]:
    """The message of each event's payload, by the event's name, in the catalogue's order."""
    return {
        field.GetOptions().Extensions[event_payloads_pb2.event]: field.message_type
        for field in event_payloads_pb2.Payload.DESCRIPTOR.fields
        if field.message_type is not None
    }


def problems(name: str, payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with a payload: a line for each field, none where it is as the protos say.

    Numbers that came by gRPC are floating: whole ones pass for integers.
    """
    message = payloads().get(name)
    if message is None:
        return [f"{name}: no event of the catalogue"]
    return [f"{name}: {line}" for line in _problems(message, payload, "")]


def envelope_problems(event: Mapping[str, Any]) -> list[str]:
    """The same for a whole event as JSON readers get it."""
    fields = {field.json_name for field in events_pb2.Event.DESCRIPTOR.fields}
    if event.keys() != fields:
        return [f"the envelope has {sorted(event)}, not {sorted(fields)}"]
    return problems(event["event"], event["payload"])


def _problems(message: Descriptor, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path or 'payload'} is no object"
        return
    fields = {field.json_name: field for field in message.fields}
    for name in fields.keys() - value.keys():
        yield f"{path}{name} is missing"
    for name in value.keys() - fields.keys():
        yield f"{path}{name} is in no proto"
    for name in fields.keys() & value.keys():
        field = fields[name]
        if field.is_repeated:
            if not isinstance(value[name], list):
                yield f"{path}{name} is no list"
                continue
            for item in value[name]:
                yield from _one(field, item, f"{path}{name}")
        elif value[name] is None:
            if not field.has_presence:
                yield f"{path}{name} is null"
        else:
            yield from _one(field, value[name], f"{path}{name}")


def _one(field: FieldDescriptor, value: object, path: str) -> Iterator[str]:
    if field.message_type is not None:
        yield from _problems(field.message_type, value, f"{path}.")
    elif field.enum_type is not None:
        if value not in enum_words(field.enum_type):
            yield f"{path} is {value!r}, none of its words"
    else:
        expected = _PYTHON[field.type]
        if expected is int and isinstance(value, float) and value.is_integer():
            return
        if type(value) is not expected:
            yield f"{path} is {value!r}, no {expected.__name__}"
