"""The product's event log, read from outside as JSON envelopes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.protobuf import json_format
from wagate.v1 import events_pb2, events_pb2_grpc

from tests.support.stack import Stack

OLDEST: Final = "evt_" + "0" * 26
SECONDS: Final = 60.0
"""For an event to come."""


@contextmanager
def telling(
    stack: Stack, names: Sequence[str] = (), *, after: str = "", within: float = SECONDS
) -> Iterator[Iterator[dict[str, Any]]]:
    """Follows the log from now on, or from behind an id.

    Args:
        stack: the product.
        names: of events; none for all.
        after: an event's id.
        within: seconds for all of it.

    Yields:
        The events, as a REST reader gets them; heartbeats are left out.
    """
    metadata = (("authorization", f"Bearer {stack.ready['apiKey']}"),)
    with grpc.insecure_channel(stack.ready["grpc"]) as channel:
        request = events_pb2.SubscribeRequest(events=names, after=after)
        call = iter(events_pb2_grpc.EventsStub(channel).Subscribe(request, metadata=metadata, timeout=within))
        next(call)  # the heartbeat at the beginning: from here on nothing is missed
        yield (envelope(event) for event in call if event.event != "heartbeat")


def envelope(event: events_pb2.Event) -> dict[str, Any]:
    """An event that came by gRPC, as REST readers get it."""
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
    """Numbers that a Struct made floating, as they were."""
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
