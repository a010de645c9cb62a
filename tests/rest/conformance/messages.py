"""Cases of the Messages service."""

from collections.abc import Callable
from typing import Any

from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.world import World

MEDIA = ("image", "video", "audio", "document", "sticker")


def _text(session: str, to: str, **more: Any) -> Request:
    return Request({"session": session}, {"to": to, "type": "text", "text": "hello", **more})


def _of_kind(kind: str) -> Callable[[World], Request]:
    return lambda world: _text(world.working, world.ada, type=kind)


def _sent(world: World, answer: Any) -> None:
    assert (answer["mode"], answer["status"], answer["replayed"]) == ("sync", "sent", False)
    heard = world.heard(world.ada.partition("@")[0], lambda message: message["id"] == answer["waMessageId"])
    assert heard["text"] == "hello"


def _lacks(*names: str) -> Any:
    def check(_world: World, answer: Any) -> None:
        assert set(answer["error"]["details"]) == set(names)

    return check


def _refused(reason: str) -> Any:
    def check(_world: World, answer: Any) -> None:
        assert answer["error"]["details"]["reason"] == reason

    return check


def _not_connected(_world: World, answer: Any) -> None:
    assert answer["error"]["details"] == {"status": "stopped"}


def _unknown(_world: World, answer: Any) -> None:
    assert answer["error"]["details"] == {"outcome": "indeterminate"}


def _to_refuse(world: World) -> Request:
    world.stack.fault(kind="ack_error", code=463, count=1, number="628110000001")
    return _text(world.working, world.ada)


def _to_silence(world: World) -> Request:
    number = world.number()
    session = world.stack.paired(number)
    world.stack.fault(kind="ack_drop", number=number)
    return _text(session, world.ada)


CASES = (
    Case("sendMessage", 200, "text", lambda w: _text(w.working, w.ada), _sent),
    Case(
        "sendMessage",
        400,
        "nothing-given",
        lambda w: Request({"session": w.working}, {}),
        _lacks("to", "type"),
    ),
    Case("sendMessage", 400, "no-jid", lambda w: _text(w.working, "Ada"), _lacks("to")),
    Case("sendMessage", 409, "not-connected", lambda w: _text(w.idle, w.ada), _not_connected),
    *(Case("sendMessage", 501, kind, _of_kind(kind)) for kind in MEDIA),
    Case(
        "sendMessage",
        502,
        "not-on-whatsapp",
        lambda w: _text(w.working, "628199999999@s.whatsapp.net"),
        _refused("not_on_whatsapp"),
    ),
    Case("sendMessage", 502, "reach-out-timelock", _to_refuse, _refused("reach_out_timelock")),
    Case("sendMessage", 504, "no-acknowledgement", _to_silence, _unknown),
)
