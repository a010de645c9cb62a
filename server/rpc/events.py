"""The Events service."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from wagate.v1 import events_pb2 as pb

from server.errors import invalid
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
        sessions, names = (call.grant.sessions, call.grant.events) if call.grant else ((), ())
        subscription = await self._events.subscribe(
            call.principal,
            after=after,
            sessions=_filter("sessions", request.sessions, call, sessions),
            names=_filter("events", request.events, call, names),
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


def _filter(field: str, asked: Sequence[str], call: Call, granted: Sequence[str]) -> Sequence[str]:
    """What a filter lets through, at most what the caller's ticket does.

    Raises:
        WagateError: VALIDATION_ERROR for what the ticket leaves out.
    """
    if call.is_rest:  # URLSearchParams makes one text with commas of a list
        asked = [part for value in asked for part in value.split(",")]
    if not granted:
        return asked
    if not set(asked) <= set(granted):
        raise invalid(field, "the ticket was made without some of these: ask for one with them")
    return asked or granted


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
    told.payload.SetInParent()  # also where there is nothing in it
    told.payload.update(payload)
    return told.SerializeToString()
