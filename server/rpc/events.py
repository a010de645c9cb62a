"""The Events service."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from wagate.v1 import events_pb2 as pb

from server.events.envelope import SCHEMA, once
from server.events.service import Events
from server.rpc import sse
from server.rpc.endpoint import Call
from server.store.event_log import StoredEvent

LAST_EVENT_ID = "last-event-id"
"""The header with which a browser's EventSource comes back."""


class EventsServicer:
    """Translates; `server.events` decides."""

    def __init__(self, events: Events) -> None:
        """Serves `events`."""
        self._events = events

    async def Subscribe(self, request: pb.SubscribeRequest, call: Call) -> AsyncGenerator[bytes, None]:
        """See protos/wagate/v1/events.proto.

        Yields:
            For REST callers the lines of server-sent events, for native ones each an `Event`.
        """
        after, called = _cursor(request, call)
        subscription = await self._events.subscribe(
            call.principal,
            after=after,
            sessions=_listed(request.sessions, call),
            names=_listed(request.events, call),
            called=called,
        )
        encode = sse.chunks if call.is_rest else _messages
        async with aclosing(subscription.batches()) as batches:
            async for batch in batches:
                for encoded in encode(batch):
                    yield encoded


def _cursor(request: pb.SubscribeRequest, call: Call) -> tuple[str, str]:
    """The id behind which to begin, and what the caller calls it."""
    if not call.is_rest:
        return request.after, "after"
    # A browser comes back with the address that it began with: what it has seen since is in the header.
    if header := call.metadata.get(LAST_EVENT_ID):
        return header, "Last-Event-ID"
    return request.after, "since"


def _listed(values: Sequence[str], call: Call) -> Sequence[str]:
    """The values of a filter; URLSearchParams makes one text with commas of a list."""
    return [part for value in values for part in value.split(",")] if call.is_rest else values


def _messages(batch: Iterable[StoredEvent]) -> Iterable[bytes]:
    return (once(event, _message) for event in batch)


def _message(event: StoredEvent) -> bytes:
    told = pb.Event(
        schema=SCHEMA,
        id=event.id,
        event=event.name,
        session=event.session_id,
        organization=event.organization_id,
        timestamp=event.timestamp,
    )
    payload: Any = event.payload  # JSON, as it was stored
    told.payload.update(payload)
    return told.SerializeToString()
