"""The Events service."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from wagate.v1 import events_pb2 as pb

from server.events.service import Events
from server.rpc.endpoint import Call
from server.store.event_log import StoredEvent

SCHEMA: Final = "v1"
"""The version of the envelope (REST API, Events)."""


class EventsServicer:
    """Translates; `server.events` decides."""

    def __init__(self, events: Events) -> None:
        """Serves `events`."""
        self._events = events

    async def Subscribe(self, request: pb.SubscribeRequest, call: Call) -> AsyncGenerator[pb.Event, None]:
        """See protos/wagate/v1/events.proto."""
        subscription = await self._events.subscribe(
            call.principal, after=request.after, sessions=request.sessions, names=request.events
        )
        async with aclosing(subscription.events()) as events:
            async for event in events:
                yield _event(call.principal.organization_id, event)


def _event(organization: str, event: StoredEvent) -> pb.Event:
    envelope = pb.Event(
        schema=SCHEMA,
        id=event.id,
        event=event.name,
        session=event.session_id,
        organization=organization,
        timestamp=event.timestamp,
    )
    payload: Any = event.payload  # JSON, as it was stored
    envelope.payload.update(payload)
    return envelope
