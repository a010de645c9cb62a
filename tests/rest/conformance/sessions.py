"""Cases of the Sessions service."""

import re
from typing import Any

from tests.rest.conformance.case import By, Case, Given, Request
from tests.rest.conformance.expected import has, names, reason, status
from tests.rest.conformance.world import World


def _has_status(status: str) -> Any:
    def check(_world: World, answer: Any) -> None:
        assert answer["status"] == status

    return check


def _of(session: str, **more: Any) -> Request:
    return Request({"session": session}, **more)


def _too_long(_world: World, answer: Any) -> None:
    assert set(answer["error"]["details"]) == {"label"}


def _gone(world: World, _answer: Any) -> None:
    listed = world.stack.rest.get("/sessions", params={"limit": 200}).json()["data"]
    assert not [session for session in listed if session["label"] == "to be deleted"]


def _to_delete(world: World) -> Request:
    session = world.stack.rest.post("/sessions", json={"label": "to be deleted"}).json()["id"]
    return _of(session)


def _with_code(world: World) -> Request:
    session = world.created()
    world.stack.qr(session)
    return _of(session)


def _code(world: World, answer: Any) -> None:
    assert answer["code"].startswith("https://wa.me/settings/linked_devices#")
    (waiting,) = (
        session["id"]
        for session in world.stack.rest.get("/sessions", params={"limit": 200}).json()["data"]
        if session["status"] == "scan_qr_code"
    )
    # A place for the next pairing; and the code told above is this session's.
    assert world.stack.rest.get(f"/sessions/{waiting}/qr").json()["code"] == answer["code"]
    world.stack.rest.post(f"/sessions/{waiting}:stop").raise_for_status()


def _status_told(_world: World, answer: Any) -> None:
    assert answer["error"]["details"] == {"status": "working"}


def _cursor(_world: World, answer: Any) -> None:
    assert set(answer["error"]["details"]) == {"cursor"}


def _stopped(world: World) -> str:
    session = world.paired()
    world.stack.rest.post(f"/sessions/{session}:stop").raise_for_status()
    return session


def _pairing_code(phone: str) -> Given:
    return lambda world: Request({"session": world.created()}, {"phone": phone})


def _code_to_type(world: World, answer: Any) -> None:
    assert re.fullmatch("[0-9A-Z]{4}-[0-9A-Z]{4}", answer["code"])
    _end_pairings(world)


def _end_pairings(world: World) -> None:
    """Makes place for the next one."""
    for session in world.stack.rest.get("/sessions", params={"limit": 200}).json()["data"]:
        if session["status"] in {"scan_qr_code", "starting"} and session["waJid"] is None:
            world.stack.rest.post(f"/sessions/{session['id']}:stop").raise_for_status()


def _no_number(world: World, answer: Any) -> None:
    reason("not_on_whatsapp")(world, answer)
    _end_pairings(world)


def _unconfirmed(world: World) -> Request:
    number = world.number()
    session = world.stack.paired(number)
    world.stack.fault(kind="silence", number=number)
    return _of(session)


def _healthy(world: World, answer: Any) -> None:
    assert (answer["status"], answer["connected"], answer["sessionId"]) == ("working", True, world.working)
    assert answer["since"] > 1_000_000_000_000
    assert (answer["reason"], answer["message"]) == (None, None)


CASES = (
    Case("createSession", 201, "created", lambda _: Request(body={"label": "new"}), _has_status("stopped")),
    Case("createSession", 400, "label-too-long", lambda _: Request(body={"label": "x" * 201}), _too_long),
    Case("listSessions", 200, "a-page", lambda w: Request({"limit": 1}) if w.idle else Request()),
    Case("listSessions", 400, "forged-cursor", lambda _: Request({"cursor": "forged"}), _cursor),
    Case("getSession", 200, "working", lambda w: _of(w.working), _has_status("working")),
    Case("deleteSession", 204, "deleted", _to_delete, _gone),
    Case("sessionQR", 200, "a-code", _with_code, _code),
    Case("sessionQR", 409, "paired-already", lambda w: _of(w.working), _status_told),
    Case("startSession", 200, "was-stopped", lambda w: _of(_stopped(w)), _has_status("starting")),
    Case("startSession", 200, "works-already", lambda w: _of(w.working), _has_status("working")),
    Case("stopSession", 200, "was-working", lambda w: _of(w.paired()), _has_status("stopped")),
    Case("stopSession", 200, "nothing-to-stop", lambda w: _of(w.idle), _has_status("stopped")),
    Case("restartSession", 200, "was-working", lambda w: _of(w.paired()), _has_status("starting")),
    Case("logoutSession", 200, "unlinked", lambda w: _of(w.paired()), _has_status("logged_out")),
    Case("logoutSession", 200, "nothing-linked", lambda w: _of(w.idle), _has_status("stopped")),
    Case("logoutSession", 409, "not-connected", lambda w: _of(w.stopped.session), status("stopped")),
    # Once, because it takes the 20 seconds after which the gateway waits no longer.
    Case("logoutSession", 502, "not-confirmed", _unconfirmed, reason("other"), By.REST),
    Case("sessionMe", 200, "working", lambda w: _of(w.working), has(connected=True, status="working")),
    Case("sessionMe", 404, "not-paired", lambda w: _of(w.idle)),
    Case("sessionHealth", 200, "working", lambda w: _of(w.working), _healthy),
    Case("sessionHealth", 200, "nobody-paired-it", lambda w: _of(w.idle), has(connected=False, since=None)),
    Case("sessionPairingCode", 200, "a-code", _pairing_code("628140000001"), _code_to_type),
    Case("sessionPairingCode", 400, "no-digits", _pairing_code("+628140000001"), names("phone")),
    Case("sessionPairingCode", 400, "paired-already", lambda w: _of(w.working, body={"phone": "6281400"})),
    Case("sessionPairingCode", 502, "too-short", _pairing_code("62814"), _no_number),
)
