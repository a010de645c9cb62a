"""Cases of the Realtime service."""

import time
from typing import Any

from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.expected import names
from tests.rest.conformance.general import NO_SESSION
from tests.rest.conformance.world import World


def _a_ticket(_world: World, answer: Any) -> None:
    assert answer["ticket"].startswith("tk_")
    assert len(answer["ticket"]) == 46
    assert 0 < answer["expiresAt"] - time.time() * 1000 <= 60_000


def _filtered(world: World) -> Request:
    return Request(body={"sessions": [world.idle], "events": ["message", "message.status"]})


def _others(world: World) -> Request:
    return Request(body={"sessions": [world.idle]}, token=world.stranger)


CASES = (
    Case("createRealtimeTicket", 200, "for-everything", lambda _: Request(), _a_ticket),
    Case("createRealtimeTicket", 200, "filtered", _filtered, _a_ticket),
    Case("createRealtimeTicket", 200, "may-only-read", lambda w: Request(token=w.only_read), _a_ticket),
    Case("createRealtimeTicket", 400, "no-name", lambda _: Request(body={"events": ["*"]}), names("events")),
    Case(
        "createRealtimeTicket",
        400,
        "many",
        lambda _: Request(body={"events": ["call"] * 101}),
        names("events"),
    ),
    Case("createRealtimeTicket", 404, "no-session", lambda _: Request(body={"sessions": [NO_SESSION]})),
    Case("createRealtimeTicket", 404, "others-session", _others),
)
