"""The order of checks: token, capability, session, body, connection."""

import grpc
import pytest
from wagate.v1 import sessions_pb2

from server.auth.principal import Capability
from tests.support.caller import METHODS
from tests.unit.server.office import ADA_JID, NOBODY, SESSION_METHODS, Office, refused, text_to

NEEDED = {
    **dict.fromkeys(
        ("ListChats", "GetChat", "ListChatMessages", "CreateRealtimeTicket", "SessionHealth"), Capability.READ
    ),
    **dict.fromkeys(
        (
            *("SendMessage", "EditMessage", "RevokeMessage", "ForwardMessage"),
            *("AddReaction", "RemoveReaction", "VoteMessage"),
            *("UpdateChat", "DeleteChat", "SetChatPresence", "ReadChat"),
            "JoinGroup",
        ),
        Capability.SEND,
    ),
}
"""The capability of each method that does not need `manage` (REST API)."""


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_without_a_token_nobody_enters(office: Office, method: str) -> None:
    answer = await office.with_token("").rest(method, b"{not json")
    assert (answer.status, answer.json["error"]["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    code, info, _ = await refused(office.with_token("wa_wrong").native(method))
    assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "unauthorized")


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_the_capability_comes_before_the_session_and_the_body(office: Office, method: str) -> None:
    needed = NEEDED.get(method, Capability.MANAGE)
    without = await office.with_only(*(set(Capability) - {needed}))
    answer = await without.rest(method, b"{not json")
    assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")
    assert answer.json["error"]["details"] == {"required": needed}
    with_it = await office.with_only(needed)
    assert (await with_it.rest(method, b"{not json")).status not in {401, 403}


@pytest.mark.parametrize("method", SESSION_METHODS)
async def test_the_session_comes_before_the_body(office: Office, method: str) -> None:
    mine = await office.node.create()
    for caller, session_id in ((office.owner, NOBODY), (office.stranger, mine.id), (office.owner, "")):
        answer = await caller.rest(method, b"{not json", session=session_id)
        assert (answer.status, answer.json["error"]["message"]) == (404, "session not found")
        code, info, _ = await refused(caller.native(method, session=session_id))
        assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "not_found")


async def test_the_body_comes_before_the_connection(office: Office) -> None:
    session = await office.node.create()
    wrong = await office.owner.rest("SendMessage", {"to": "nobody", "extra": 1}, session=session.id)
    assert (wrong.status, set(wrong.json["error"]["details"])) == (400, {"extra"})
    wrong = await office.owner.rest("SendMessage", {"to": "nobody"}, session=session.id)
    assert (wrong.status, set(wrong.json["error"]["details"])) == (400, {"to", "type"})
    away = await office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id)
    assert (away.status, away.json["error"]["details"]) == (409, {"status": "stopped"})


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"to": 5}', b"\xff", None])
async def test_a_body_that_is_none_is_refused(office: Office, body: bytes | None) -> None:
    session = await office.node.create()
    answer = await office.owner.rest("SendMessage", body, session=session.id)
    assert (answer.status, answer.json["error"]["code"]) == (400, "validation_error")


async def test_a_path_that_is_no_text_is_refused(office: Office) -> None:
    not_utf_8 = b"\x0a\x02\xff\xfe"
    assert (await office.owner.rest_bytes("GetSession", not_utf_8)).status == 400


async def test_a_path_that_is_no_text_tells_a_caller_without_a_token_nothing(office: Office) -> None:
    assert (await office.with_token("").rest_bytes("GetSession", b"\x0a\x02\xff\xfe")).status == 401


async def test_a_body_cannot_set_what_the_path_names(office: Office) -> None:
    mine, other = await office.node.create(), await office.node.create()
    answer = await office.owner.rest(
        "SendMessage", {"session": other.id, **text_to(ADA_JID)}, session=mine.id
    )
    assert (answer.status, set(answer.json["error"]["details"])) == (400, {"session"})


async def test_a_body_in_parts_is_one_body(office: Office) -> None:
    request = sessions_pb2.CreateSessionRequest().SerializeToString()
    tag = b"\x82\xf1\x04"  # field 10000, length-delimited
    kind, data = b"\x0a\x10application/json", b'\x12\x0f{"label": "hi"}'
    parts = request + tag + bytes([len(kind)]) + kind + tag + bytes([len(data)]) + data
    answer = await office.owner.rest_bytes("CreateSession", parts)
    assert (answer.status, answer.json["label"]) == (201, "hi")
