"""Cases of the Events service."""

from typing import Any

from tests.rest.conformance.case import By, Case, Request
from tests.rest.conformance.expected import has, names
from tests.rest.conformance.general import NO_SESSION
from tests.rest.conformance.world import World

OLDEST = "evt_" + "0" * 26


def _by_ticket(world: World) -> Request:
    answer = world.stack.rest.post("/realtime/ticket", json={"events": ["message"]})
    answer.raise_for_status()
    return Request({"ticket": answer.json()["ticket"], "events": ["message"]}, token=None)


def _beyond_ticket(world: World) -> Request:
    asked = _by_ticket(world)
    return Request({**asked.fields, "events": ["message", "presence"]}, token=None)


def _twice(world: World) -> Request:
    asked = _by_ticket(world)
    with world.stack.rest.stream("GET", "/events", params=dict(asked.fields)) as first:
        first.raise_for_status()
    return asked


def _begins(_world: World, answer: Any) -> None:
    assert (answer["schema"], answer["event"], answer["session"]) == ("v1", "heartbeat", None)


CASES = (
    Case("subscribe", 200, "from-now", lambda _: Request(), _begins),
    Case("subscribe", 200, "from-the-oldest", lambda _: Request({"since": OLDEST}), has(event="heartbeat")),
    Case("subscribe", 200, "filtered", lambda w: Request({"sessions": [w.idle, w.working]}), _begins),
    Case("subscribe", 200, "by-ticket", _by_ticket, _begins),
    Case("subscribe", 400, "no-cursor", lambda _: Request({"since": "evt_"}), names("since"), By.REST),
    Case("subscribe", 400, "no-name", lambda _: Request({"events": ["*"]}), names("events")),
    Case("subscribe", 400, "beyond-the-ticket", _beyond_ticket, names("events")),
    Case("subscribe", 401, "spent-ticket", _twice),
    Case("subscribe", 401, "no-ticket", lambda _: Request({"ticket": "tk_no"})),
    Case("subscribe", 404, "no-session", lambda _: Request({"sessions": [NO_SESSION]})),
    Case("subscribe", 404, "others-session", lambda w: Request({"sessions": [w.idle]}, token=w.stranger)),
)
