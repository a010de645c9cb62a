"""Cases of the Messages service: what sends, and what acts on a message that was sent."""

from collections.abc import Callable
from typing import Any

from tests.rest.conformance.case import Case, Given, Request
from tests.rest.conformance.expected import names, outcome, reason, status
from tests.rest.conformance.world import Sent, World

MEDIA = ("image", "video", "audio", "document", "sticker")
UNKNOWN = "3EB0C0FFEEC0FFEEC0FFEE"
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL:+628120000001\nEND:VCARD"


def _text(session: str, to: str, **more: Any) -> Request:
    return Request({"session": session}, {"to": to, "type": "text", "text": "hello", **more})


def _of_kind(kind: str, **body: Any) -> Given:
    return lambda world: Request({"session": world.working}, {"to": world.ada, "type": kind, **body})


def _sent(world: World, answer: Any) -> None:
    assert (answer["mode"], answer["status"], answer["replayed"]) == ("sync", "sent", False)
    world.heard(world.ada.partition("@")[0], lambda message: message["id"] == answer["waMessageId"])


def _queued(_world: World, answer: Any) -> None:
    assert (answer["mode"], answer["status"]) == ("async", "queued")
    assert answer["outboxId"]


def _replayed(_world: World, answer: Any) -> None:
    assert (answer["status"], answer["replayed"]) == ("sent", True)


def _sent_before(world: World) -> Request:
    key = {"idempotency-key": f"key {world.number()}"}
    world.stack.send(world.working, world.ada, "hello", headers=key).raise_for_status()
    return Request(**{**vars(_text(world.working, world.ada)), "headers": key})


def _lost_before(world: World) -> Request:
    key = {"idempotency-key": f"key {world.number()}"}
    session = world.unanswered()
    assert world.stack.send(session, world.ada, "hello", headers=key).status_code == 504
    return Request(**{**vars(_text(session, world.ada)), "headers": key})


def _with_long_key(world: World) -> Request:
    return Request(**{**vars(_text(world.working, world.ada)), "headers": {"idempotency-key": "x" * 256}})


def _refused(request: Given) -> Given:
    """The same, with WhatsApp refusing what the working session does next."""

    def given(world: World) -> Request:
        asked = request(world)
        world.stack.fault(kind="ack_error", code=463, count=1, number=world.account.partition("@")[0])
        return asked

    return given


SENDING = (
    Case("sendMessage", 200, "text", lambda w: _text(w.working, w.ada), _sent),
    Case("sendMessage", 200, "reply", lambda w: _text(w.working, w.ada, replyTo=w.sent(to=w.ada).id), _sent),
    Case("sendMessage", 200, "mention", lambda w: _text(w.working, w.ada, mentions=[w.ada]), _sent),
    Case("sendMessage", 200, "poll", _of_kind("poll", name="Tea?", options=["yes", "no"]), _sent),
    Case("sendMessage", 200, "location", _of_kind("location", latitude=-6.2, longitude=106.8), _sent),
    Case(
        "sendMessage", 200, "contact", _of_kind("contact", contact={"name": "B", "phone": "+62 81234"}), _sent
    ),
    Case("sendMessage", 200, "vcard", _of_kind("contact", contact=VCARD), _sent),
    Case("sendMessage", 200, "key-seen-before", _sent_before, _replayed),
    Case("sendMessage", 202, "async", lambda w: _in_outbox(w.working, w.ada), _queued),
    Case("sendMessage", 202, "async-not-connected", lambda w: _in_outbox(w.stopped.session, w.ada), _queued),
    Case(
        "sendMessage",
        400,
        "nothing-given",
        lambda w: Request({"session": w.working}, {}),
        names("to", "type"),
    ),
    Case("sendMessage", 400, "no-jid", lambda w: _text(w.working, "Ada"), names("to")),
    Case("sendMessage", 400, "no-text", _of_kind("text"), names("text")),
    Case("sendMessage", 400, "long-text", _of_kind("text", text="x" * 65_537), names("text")),
    Case("sendMessage", 400, "no-poll", _of_kind("poll", options=["one"]), names("name", "options")),
    Case("sendMessage", 400, "no-place", _of_kind("location", latitude=91), names("latitude", "longitude")),
    Case("sendMessage", 400, "no-card", _of_kind("contact", contact="Ada"), names("contact")),
    Case(
        "sendMessage",
        400,
        "unknown-quote",
        lambda w: _text(w.working, w.ada, replyTo=UNKNOWN),
        names("replyTo"),
    ),
    Case("sendMessage", 400, "long-key", _with_long_key, names("Idempotency-Key")),
    Case("sendMessage", 409, "not-connected", lambda w: _text(w.idle, w.ada), status("stopped")),
    Case("sendMessage", 409, "key-of-unknown-outcome", _lost_before, outcome("indeterminate")),
    Case("sendMessage", 429, "rate-used-up", lambda w: _text(w.spent(), w.ada)),
    *(Case("sendMessage", 501, kind, _of_kind(kind)) for kind in MEDIA),
    Case(
        "sendMessage",
        502,
        "not-on-whatsapp",
        lambda w: _text(w.working, "628199999999@s.whatsapp.net"),
        reason("not_on_whatsapp"),
    ),
    Case(
        "sendMessage",
        502,
        "reach-out-timelock",
        _refused(lambda w: _text(w.working, w.ada)),
        reason("reach_out_timelock"),
    ),
    Case(
        "sendMessage",
        504,
        "no-acknowledgement",
        lambda w: _text(w.unanswered(), w.ada),
        outcome("indeterminate"),
    ),
)


def _in_outbox(session: str, to: str) -> Request:
    return Request({"session": session, "async": True}, {"to": to, "type": "text", "text": "later"})


def _about(sent: Sent, **body: Any) -> Request:
    return Request({"session": sent.session, "mid": sent.id}, {"chat": sent.chat, **body})


def _on_fresh(**body: Any) -> Given:
    return lambda world: _about(world.sent(), **body)


def _on_unknown(**body: Any) -> Given:
    return lambda world: Request({"session": world.working, "mid": UNKNOWN}, {"chat": world.known, **body})


def _without_connection(**body: Any) -> Given:
    return lambda world: _about(world.stopped, **body)


def _no_chat(**body: Any) -> Given:
    return lambda world: Request({"session": world.working, "mid": UNKNOWN}, body)


def _common(operation: str, request: Callable[..., Given], **body: Any) -> tuple[Case, ...]:
    """Cases of every operation on a message; `request` makes a good one of the body."""
    return (
        Case(operation, 400, "no-chat", _no_chat(**body), names("chat")),
        Case(operation, 404, "no-message", _on_unknown(**body)),
        Case(operation, 502, "whatsapp-refuses", _refused(request(**body)), reason("reach_out_timelock")),
    )


def _stored(world: World, wanted: Callable[[dict[str, Any]], bool]) -> bool:
    found = world.stack.rest.get(f"/sessions/{world.working}/chats/{world.known}/messages").json()["data"]
    return any(wanted(message) for message in found)


def _edited(world: World, answer: Any) -> None:
    assert answer["status"] == "sent"
    assert _stored(world, lambda message: bool(message["edited"]) and message["body"] == "better")


def _revoked(world: World, answer: Any) -> None:
    assert answer["status"] == "sent"
    assert _stored(world, lambda message: bool(message["deleted"]))


def _reacted(world: World, answer: Any) -> None:
    assert answer["status"] == "sent"
    assert _stored(world, lambda message: [r["emoji"] for r in message["reactions"]] == ["👍"])


def _reacted_to(world: World) -> Request:
    sent = world.sent()
    path = f"/sessions/{sent.session}/messages/{sent.id}/reaction"
    world.stack.rest.post(path, json={"chat": sent.chat, "emoji": "👍"}).raise_for_status()
    return _about(sent)


def _poll(**body: Any) -> Given:
    return lambda world: _about(world.poll, **body)


def _forward(to: str = "") -> Given:
    return lambda world: _about(world.sent(), to=to or world.ada)


def _poll_without_connection(world: World) -> Request:
    return _about(world.stopped_poll, options=["yes"])


ANYBODY = "628120000001@s.whatsapp.net"
ACTIONS = (
    Case("editMessage", 200, "own", _on_fresh(text="better"), _edited),
    Case("editMessage", 400, "empty", _on_fresh(text=""), names("text")),
    Case("editMessage", 400, "no-text-message", lambda w: _about(w.poll, text="better"), names("mid")),
    Case("editMessage", 409, "not-connected", _without_connection(text="better"), status("stopped")),
    *_common("editMessage", _on_fresh, text="better"),
    Case("revokeMessage", 200, "own", _on_fresh(sender=""), _revoked),
    Case("revokeMessage", 409, "not-connected", _without_connection(), status("stopped")),
    *_common("revokeMessage", _on_fresh),
    Case("forwardMessage", 200, "own", _forward(), _sent),
    Case("forwardMessage", 400, "nobody", _on_fresh(to=""), names("to")),
    Case("forwardMessage", 429, "rate-used-up", lambda w: _about(w.sent_by(w.spent()), to=w.ada)),
    Case("forwardMessage", 409, "not-connected", _without_connection(to=ANYBODY), status("stopped")),
    *_common("forwardMessage", _forward, to=ANYBODY),
    Case("addReaction", 200, "own", _on_fresh(emoji="👍"), _reacted),
    Case("addReaction", 400, "no-emoji", _on_fresh(emoji=""), names("emoji")),
    Case("addReaction", 409, "not-connected", _without_connection(emoji="👍"), status("stopped")),
    *_common("addReaction", _on_fresh, emoji="👍"),
    Case("removeReaction", 200, "own", _reacted_to),
    Case("removeReaction", 409, "not-connected", _without_connection(), status("stopped")),
    *_common("removeReaction", _on_fresh),
    Case("voteMessage", 200, "own-poll", _poll(options=["yes"])),
    Case("voteMessage", 200, "taken-back", _poll(options=[])),
    Case("voteMessage", 400, "no-option-of-it", _poll(options=["perhaps"]), names("options")),
    Case("voteMessage", 400, "no-poll", _on_fresh(options=["yes"]), names("mid")),
    Case("voteMessage", 409, "not-connected", _poll_without_connection, status("stopped")),
    *_common("voteMessage", _poll, options=["yes"]),
)
CASES = (*SENDING, *ACTIONS)
