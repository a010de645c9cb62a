"""Cases of the Groups service."""

from typing import Any

from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.expected import names, reason, status
from tests.rest.conformance.world import World

INVITE = "AbCdEfGhIjKlMnOpQrStUv"


def _join(session: str, invite: str) -> Request:
    return Request({"session": session}, {"invite": invite})


def _link(world: World) -> Request:
    return _join(world.idle, f"https://chat.whatsapp.com/{INVITE}")


def _refused(world: World) -> Request:
    world.stack.fault(kind="group_refused", action="join", code=419, number=world.account.partition("@")[0])
    return _join(world.working, world.group.invite)


def _joined(world: World, answer: Any) -> None:
    assert answer == {"groupJid": world.group.jid}


CASES = (
    Case("joinGroup", 200, "by-code", lambda w: _join(w.working, w.group.invite), _joined),
    Case("joinGroup", 200, "member-already", lambda w: _join(w.working, w.group.invite), _joined),
    Case("joinGroup", 400, "unknown-code", lambda w: _join(w.working, INVITE), names("invite")),
    Case("joinGroup", 400, "no-invite", lambda w: _join(w.working, ""), names("invite")),
    Case("joinGroup", 400, "no-code", lambda w: _join(w.working, "https://example.com/x"), names("invite")),
    Case("joinGroup", 501, "not-connected", _link, status("stopped")),
    Case("joinGroup", 502, "full", _refused, reason("not_allowed")),
)
