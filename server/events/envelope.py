"""The envelope of an event, as every way out tells it (REST API, Events)."""

import json
from collections.abc import Callable
from typing import Final

from server.store.event_log import StoredEvent

SCHEMA: Final = "v1"
"""The version of the envelope."""


def once(event: StoredEvent, make: Callable[[StoredEvent], bytes]) -> bytes:
    """What `make` makes of an event, made once for all who read the same page of the log.

    Args:
        event: as it was read.
        make: the same function each time; told apart by itself.
    """
    made = event.forms.get(make)
    if made is None:
        made = event.forms[make] = make(event)
    return made


def envelope(event: StoredEvent) -> bytes:
    """The envelope as JSON text in one line: numbers are numbers, what is absent is null."""
    return once(event, _json)


def _json(event: StoredEvent) -> bytes:
    told = {
        "schema": SCHEMA,
        "id": event.id,
        "event": event.name,
        "session": event.session_id,
        "organization": event.organization_id,
        "timestamp": event.timestamp,
        "payload": event.payload,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
