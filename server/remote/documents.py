"""Answers as JSON documents, with the names and types of the REST API."""

import json
import re
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message
from wagate.v1 import events_pb2

from server.rpc import json_codec

_CONTROLS: Final = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What JSON lets stand as it is, and terminals obey or turn around."""


def document_of(message: Message) -> Any:
    """What the REST API would answer, as a JSON value."""
    if isinstance(message, events_pb2.Event):
        return _event(message)
    return json.loads(json_codec.encode(message))


def text_of(document: object, *, is_line: bool = False) -> str:
    """A JSON value as text: over several lines for people, or in one."""
    text = json.dumps(
        document,
        ensure_ascii=False,
        indent=None if is_line else 2,
        separators=(",", ":") if is_line else None,
    )
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _event(event: events_pb2.Event) -> dict[str, object]:
    # The payload is JSON already; a Struct keeps every number of it as a float.
    return {
        "schema": event.schema,
        "id": event.id,
        "event": event.event,
        "session": event.session if event.HasField("session") else None,
        "organization": event.organization,
        "timestamp": event.timestamp,
        "payload": _whole(json_format.MessageToDict(event.payload)),
    }


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return value
