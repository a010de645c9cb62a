"""Cases of the Chats service."""

from typing import Any

from tests.rest.conformance.case import Case, Given, Request
from tests.rest.conformance.expected import has, names
from tests.rest.conformance.world import World

NOBODY = "628199999998@s.whatsapp.net"
LONG_AFTER = 4_102_444_800_000
"""The year 2100."""


def _chat(world: World, **more: str | int) -> Request:
    return Request({"session": world.working, "cid": world.known, **more})


def _no_chat(world: World) -> Request:
    return _chat(world, cid=NOBODY)


def _no_jid(world: World) -> Request:
    return _chat(world, cid="nobody")


def _update(**body: Any) -> Given:
    return lambda world: Request({"session": world.working, "cid": world.known}, body)


def _presence(**body: Any) -> Given:
    return lambda world: Request({"session": world.working, "cid": world.ada}, body)


def _fresh(world: World) -> Request:
    return Request({"session": world.working, "cid": world.sent(to=world.sink()).chat})


def _has_known(world: World, answer: Any) -> None:
    assert world.known in {chat["jid"] for chat in answer["data"]}


def _newest(_world: World, answer: Any) -> None:
    assert len(answer["data"]) == 1
    assert answer["nextCursor"]


def _listing(world: World) -> Request:
    return Request({"session": world.working, "limit": 200}) if world.known else Request()


def _to_idle(world: World) -> Request:
    return Request({"session": world.idle, "cid": world.ada}, {"state": "composing"})


CASES = (
    Case("listChats", 200, "a-chat", _listing, _has_known),
    Case(
        "listChats",
        400,
        "forged-cursor",
        lambda w: Request({"session": w.idle, "cursor": "x"}),
        names("cursor"),
    ),
    Case("getChat", 200, "known", _chat, has(type="dm")),
    Case("getChat", 400, "no-jid", _no_jid, names("cid")),
    Case("getChat", 404, "no-chat", _no_chat),
    Case("updateChat", 200, "pinned", _update(pinned=True, archived=False), has(pinned=True, archived=False)),
    Case("updateChat", 200, "muted", _update(mutedUntil=LONG_AFTER), has(mutedUntil=LONG_AFTER)),
    Case("updateChat", 200, "unmuted", _update(unmute=True, mutedUntil=LONG_AFTER), has(mutedUntil=None)),
    Case("updateChat", 422, "muted-in-the-past", _update(mutedUntil=5), names("mutedUntil")),
    Case("updateChat", 422, "pinned-and-archived", _update(pinned=True, archived=True), names("pinned")),
    Case(
        "updateChat",
        404,
        "no-chat",
        lambda w: Request({"session": w.working, "cid": NOBODY}, {"pinned": True}),
    ),
    Case("deleteChat", 204, "deleted", _fresh),
    Case("deleteChat", 404, "no-chat", _no_chat),
    *(
        Case("setChatPresence", 204, word, _presence(state=word))
        for word in ("composing", "recording", "paused")
    ),
    Case("setChatPresence", 400, "no-state", _presence(), names("state")),
    Case("setChatPresence", 501, "not-connected", _to_idle),
    Case("readChat", 200, "read", _chat, has(unreadCount=0)),
    Case("readChat", 404, "no-chat", _no_chat),
    Case("listChatMessages", 200, "a-page", lambda w: _chat(w, limit=1), _newest),
    Case("listChatMessages", 400, "forged-cursor", lambda w: _chat(w, cursor="x"), names("cursor")),
    Case("listChatMessages", 400, "no-jid", _no_jid, names("cid")),
    Case("listChatMessages", 404, "no-chat", _no_chat),
)
