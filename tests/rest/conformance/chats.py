"""Cases of the Chats service."""

from typing import Any

from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.world import World

NOBODY = "628199999998@s.whatsapp.net"


def _messages(world: World, **more: str | int) -> Request:
    return Request({"session": world.working, "cid": world.known, **more})


def _has_known(world: World, answer: Any) -> None:
    assert world.known in {chat["jid"] for chat in answer["data"]}


def _newest(_world: World, answer: Any) -> None:
    assert [message["body"] for message in answer["data"]] == ["second"]
    assert answer["nextCursor"]


def _names(name: str) -> Any:
    def check(_world: World, answer: Any) -> None:
        assert set(answer["error"]["details"]) == {name}

    return check


def _listing(world: World) -> Request:
    return Request({"session": world.working, "limit": 200}) if world.known else Request()


CASES = (
    Case("listChats", 200, "a-chat", _listing, _has_known),
    Case(
        "listChats",
        400,
        "forged-cursor",
        lambda w: Request({"session": w.idle, "cursor": "x"}),
        _names("cursor"),
    ),
    Case("listChatMessages", 200, "newest-first", lambda w: _messages(w, limit=1), _newest),
    Case("listChatMessages", 400, "forged-cursor", lambda w: _messages(w, cursor="x"), _names("cursor")),
    Case("listChatMessages", 400, "no-jid", lambda w: _messages(w, cid="nobody"), _names("cid")),
    Case("listChatMessages", 404, "no-chat", lambda w: _messages(w, cid=NOBODY)),
)
