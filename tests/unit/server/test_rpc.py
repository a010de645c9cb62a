"""Calls over a real gRPC server: both ways of calling, every answer."""

import asyncio
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from wagate.v1 import chats_pb2, messages_pb2

from server.auth.authenticator import Authenticator
from server.errors import WagateError
from server.rpc.serving import SERVICES, Serving
from server.sessions.state import Status
from server.whatsapp.refusals import Refusal
from tests.support.caller import path_of
from tests.support.waiting import until_async
from tests.unit.server.office import ADA, ADA_JID, NOBODY, NUMBER, Office, refused, text_to


async def test_a_text_is_sent_and_read_by_rest(office: Office) -> None:
    session = await office.node.working(NUMBER)
    sent = await office.owner.rest("SendMessage", text_to(ADA_JID, "שלום 😀"), session=session.id)
    (heard,) = office.network.account(ADA).heard
    assert (sent.status, sent.json["waMessageId"]) == (200, heard.id)
    assert sent.json == {
        "mode": "sync",
        "outboxId": "",
        "replayed": False,
        "status": "sent",
        "timestamp": sent.json["timestamp"],
        "waMessageId": heard.id,
    }
    assert isinstance(sent.json["timestamp"], int)
    office.network.write(ADA, NUMBER, "answer")
    await office.node.bodies(session, ADA, 2)
    page = await office.owner.rest("ListChatMessages", session=session.id, cid=ADA_JID)
    assert sorted(message["body"] for message in page.json["data"]) == ["answer", "שלום 😀"]
    assert {m["body"]: m["direction"] for m in page.json["data"]} == {"answer": "in", "שלום 😀": "out"}
    chats = await office.owner.rest("ListChats", session=session.id)
    assert [chat["jid"] for chat in chats.json["data"]] == [ADA_JID]
    assert chats.json["nextCursor"] is None


async def test_a_text_is_sent_and_read_natively(office: Office) -> None:
    session = await office.node.working(NUMBER)
    message = messages_pb2.OutgoingMessage(to=ADA_JID, type=messages_pb2.MESSAGE_TYPE_TEXT, text="hello")
    sent = await office.owner.native("SendMessage", session=session.id, message=message)
    assert sent.status == messages_pb2.SEND_STATUS_SENT
    page = await office.owner.native("ListChatMessages", session=session.id, cid=ADA_JID)
    (stored,) = page.data
    assert (stored.wa_message_id, stored.body) == (sent.wa_message_id, "hello")
    assert stored.direction == chats_pb2.MESSAGE_DIRECTION_OUT
    assert not page.HasField("next_cursor")


async def test_a_session_is_made_paired_and_deleted_by_rest(office: Office) -> None:
    made = await office.owner.rest("CreateSession", {"label": "shop", "start": True})
    assert made.status == 201
    session_id = made.json["id"]
    assert made.json["lastConnectedAt"] is made.json["waJid"] is None
    assert made.json["organizationId"] == office.node.principal.organization_id

    async def shown() -> bool:
        return (await office.owner.rest("SessionQR", session=session_id)).status == 200

    await until_async(shown, "a code")
    code = (await office.owner.rest("SessionQR", session=session_id)).json
    assert set(code) == {"code", "expiresAt"}
    office.network.scan(code["code"], NUMBER)
    await office.node.status_is(session_id, Status.WORKING)
    working = await office.owner.rest("GetSession", session=session_id)
    assert (working.json["status"], working.json["phoneNumber"]) == ("working", NUMBER)
    paired = await office.owner.rest("SessionQR", session=session_id)
    assert (paired.status, paired.json["error"]["details"]) == (409, {"status": "working"})
    gone = await office.owner.rest("DeleteSession", session=session_id)
    assert (gone.status, gone.raw) == (204, b"")
    assert (await office.owner.rest("GetSession", session=session_id)).status == 404


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("StopSession", "stopped"),
        ("StartSession", "working"),
        ("RestartSession", "working"),
        ("LogoutSession", "logged_out"),
    ],
)
async def test_a_session_is_driven_by_rest(office: Office, method: str, status: str) -> None:
    session = await office.node.working(NUMBER)
    assert (await office.owner.rest(method, session=session.id)).status == 200
    await office.node.status_is(session.id, Status(status))


async def test_a_native_error_is_rich(office: Office) -> None:
    session = await office.node.create()
    message = messages_pb2.OutgoingMessage(to=ADA_JID, type=messages_pb2.MESSAGE_TYPE_TEXT, text="hello")
    code, info, error = await refused(office.owner.native("SendMessage", session=session.id, message=message))
    assert (code, info.reason, info.domain) == (grpc.StatusCode.FAILED_PRECONDITION, "conflict", "wagate")
    assert dict(info.metadata) == {"status": "stopped"}
    assert "not connected" in (error.details() or "")


async def test_what_to_come_back_for_says_when_both_ways(office: Office) -> None:
    for _ in range(2):
        await office.node.create(start=True)
    session = await office.node.create()
    answer = await office.owner.rest("StartSession", session=session.id)
    assert (answer.status, answer.headers["retry-after"]) == (503, "20")
    code, _, error = await refused(office.owner.native("StartSession", session=session.id))
    assert code is grpc.StatusCode.UNAVAILABLE
    trailers = {str(name): value for name, value in cast("Any", error.trailing_metadata())}
    assert trailers["retry-after"] == "20"


async def test_a_refusal_of_whatsapp_is_502_with_its_reason(office: Office) -> None:
    session = await office.node.working(NUMBER)
    office.network.refuse_next(NUMBER, Refusal.REACH_OUT_TIMELOCK)
    answer = await office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id)
    assert (answer.status, answer.json["error"]["details"]["reason"]) == (502, "reach_out_timelock")


async def test_silence_of_whatsapp_is_504_and_indeterminate(office: Office) -> None:
    session = await office.node.working(NUMBER)
    office.network.hold_next(NUMBER)
    answer = await office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id)
    assert (answer.status, answer.json["error"]["code"]) == (504, "timeout")
    assert answer.json["error"]["details"] == {"outcome": "indeterminate"}
    assert office.network.account(ADA).heard == []


async def test_what_is_not_built_is_501(office: Office) -> None:
    session = await office.node.create()
    image = await office.owner.rest("SendMessage", {"to": ADA_JID, "type": "image"}, session=session.id)
    assert (image.status, image.json["error"]["details"]) == (501, {"type": "image"})


async def test_a_defect_is_told_by_a_reference_and_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(*_: object) -> None:
        raise RuntimeError("secret thing")

    monkeypatch.setattr(office.node.repository, "find", break_down)
    answer = await office.owner.rest("GetSession", session=NOBODY)
    assert (answer.status, answer.json["error"]["code"]) == (500, "internal")
    assert "secret thing" not in answer.raw.decode()
    reference = answer.json["error"]["message"].split()[-1]
    assert reference in caplog.text
    code, info, error = await refused(office.owner.native("GetSession", session=NOBODY))
    assert (code, info.reason) == (grpc.StatusCode.INTERNAL, "internal")
    assert "secret thing" not in (error.details() or "")


async def test_an_unknown_method_is_unimplemented(office: Office) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await office.owner.channel.unary_unary(
            "/wagate.v1.Sessions/Nothing", request_serializer=bytes, response_deserializer=bytes
        )(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_caller_who_goes_away_leaves_a_server_that_serves(office: Office) -> None:
    session = await office.node.working(NUMBER)
    held = office.network.hold_next(NUMBER)
    call = asyncio.create_task(office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id))
    await held.reached.wait()
    call.cancel()
    await asyncio.wait({call})
    held.accept()
    assert await office.node.bodies(session, ADA, 1) == ["hello"]
    assert (await office.owner.rest("GetSession", session=session.id)).status == 200


async def test_sessions_are_paged_and_only_mine(office: Office) -> None:
    mine = [(await office.node.create(str(n))).id for n in range(5)]
    await office.stranger.rest("CreateSession", {})
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await office.owner.rest("ListSessions", limit=2, cursor=cursor)
        found += [session["id"] for session in page.json["data"]]
        cursor = page.json["nextCursor"]
    assert found == sorted(mine)


async def test_a_cursor_is_good_for_its_list_alone(office: Office) -> None:
    for _ in range(3):
        await office.node.create()
        await office.stranger.rest("CreateSession", {})
    cursor = (await office.owner.rest("ListSessions", limit=2)).json["nextCursor"]
    for caller, method, fields in (
        (office.stranger, "ListSessions", {}),
        (office.owner, "ListChats", {"session": (await office.node.create()).id}),
    ):
        answer = await caller.rest(method, cursor=cursor, **fields)
        assert (answer.status, set(answer.json["error"]["details"])) == (400, {"cursor"})


async def test_messages_are_paged_newest_first(office: Office) -> None:
    session = await office.node.working(NUMBER)
    for number in range(7):
        office.network.write(ADA, NUMBER, f"text {number}")
    await office.node.bodies(session, ADA, 7)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await office.owner.rest(
            "ListChatMessages", session=session.id, cid=ADA_JID, limit=3, cursor=cursor
        )
        found += [message["body"] for message in page.json["data"]]
        cursor = page.json["nextCursor"]
    assert found == [f"text {number}" for number in reversed(range(7))]


async def test_a_chat_is_found_by_either_address(office: Office) -> None:
    session = await office.node.working(NUMBER)
    office.network.write(ADA, NUMBER, "hello")
    await office.node.bodies(session, ADA, 1)
    lid = str(office.network.account(ADA).lid)
    page = await office.owner.rest("ListChatMessages", session=session.id, cid=lid)
    assert [message["chatJid"] for message in page.json["data"]] == [ADA_JID]


@pytest.mark.parametrize(
    ("cid", "status"), [("nobody", 400), ("628129999999@s.whatsapp.net", 404), ("", 400)]
)
async def test_a_chat_that_is_none_is_refused(office: Office, cid: str, status: int) -> None:
    session = await office.node.create()
    answer = await office.owner.rest("ListChatMessages", session=session.id, cid=cid)
    assert answer.status == status


async def test_a_label_has_a_length(office: Office) -> None:
    assert (await office.owner.rest("CreateSession", {"label": "x" * 200})).status == 201
    answer = await office.owner.rest("CreateSession", {"label": "x" * 201})
    assert (answer.status, set(answer.json["error"]["details"])) == (400, {"label"})


async def test_health_and_reflection_are_served(office: Office) -> None:
    stub = health_pb2_grpc.HealthStub(office.owner.channel)
    for name in ("", *(service.full_name for service in SERVICES)):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def reflected() -> list[str]:
        with grpc.insecure_channel(office.address) as channel:
            return list(ProtoReflectionDescriptorDatabase(channel).get_services())

    names = await asyncio.to_thread(reflected)
    assert {str(service.full_name) for service in SERVICES} <= set(names)


async def test_a_port_that_is_taken_is_told_with_what_to_do(office: Office) -> None:
    node = office.node
    servicers = node.gateway.servicers(node.tickets)
    second = Serving(
        servicers,
        Authenticator(node.keys),
        node.sessions,
        office.address,
        audit=node.audit,
        tickets=node.tickets,
    )
    with pytest.raises(WagateError, match="WAGATE_GRPC_PORT"):
        await second.start()
    await second.stop()


def test_paths_are_the_contracts() -> None:
    assert path_of("SendMessage") == "/wagate.v1.Messages/SendMessage"
