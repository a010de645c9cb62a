"""Golden examples of events: what the product tells, held to what is written down.

An example is a real event. What differs from run to run (ids, times, who) is compared by its kind, all else
by its value. `WAGATE_GOLDEN=write` writes what was told instead; look at the difference before keeping it.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.event_schemas import envelope_problems

GOLDEN: Final = Path(__file__).parents[1] / "golden"

_ULID: Final = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_KINDS: Final = {
    "an event's id": re.compile(rf"evt_{_ULID}"),
    "a webhook's id": re.compile(rf"wh_{_ULID}"),
    "a ULID": re.compile(_ULID),
    "a phone number's JID": re.compile(r"\d{5,15}@s\.whatsapp\.net"),
    "a LID": re.compile(r"\d{4,20}@lid"),
    "a group's JID": re.compile(r"[\d-]{5,41}@g\.us"),
}
_BY_NAME: Final = frozenset({"id", "waMessageId", "quotedId", "callId", "code", "gatewayId", "outboxId"})
"""Fields whose value means nothing to a reader of the example."""
_MOMENT: Final = 1_000_000_000_000
"""Epoch milliseconds are above this, and nothing else is."""


def check(event: Mapping[str, Any], *, name: str | None = None) -> None:
    """Fails unless an event is as its golden example, and as the protos say.

    Args:
        event: the whole envelope, as JSON.
        name: of the example; the event's own name where it has one only.
    """
    assert not envelope_problems(event)
    path = GOLDEN / f"{name or event['event']}.json"
    if os.environ.get("WAGATE_GOLDEN") == "write":
        ordered = {**event, "payload": dict(sorted(event["payload"].items()))}
        path.write_text(json.dumps(ordered, ensure_ascii=False, indent=2) + "\n")
    assert path.exists(), f"no example {path.name}: write it with WAGATE_GOLDEN=write"
    assert _kinds(event) == _kinds(json.loads(path.read_text()))


def _kinds(value: object, name: str = "") -> object:
    if isinstance(value, Mapping):
        return {key: _kinds(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_kinds(inner) for inner in value]
    if isinstance(value, str):
        for kind, pattern in _KINDS.items():
            if pattern.fullmatch(value):
                return kind
    if value and isinstance(value, str | int) and not isinstance(value, bool):
        if name in _BY_NAME:
            return f"any {type(value).__name__}"
        if isinstance(value, int) and value > _MOMENT:
            return "a moment"
    return value
