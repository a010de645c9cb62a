"""Cases of the Groups service."""

from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.expected import names, status
from tests.rest.conformance.world import World

INVITE = "AbCdEfGhIjKlMnOpQrStUv"


def _join(session: str, invite: str) -> Request:
    return Request({"session": session}, {"invite": invite})


def _link(world: World) -> Request:
    return _join(world.idle, f"https://chat.whatsapp.com/{INVITE}")


CASES = (
    Case("joinGroup", 400, "no-invite", lambda w: _join(w.working, ""), names("invite")),
    Case("joinGroup", 400, "no-code", lambda w: _join(w.working, "https://example.com/x"), names("invite")),
    Case("joinGroup", 501, "not-connected", _link, status("stopped")),
)
