"""The main job: from a REST or gRPC call to a text that a real peer decrypts, and back."""

import grpc
import httpx
import pytest
from wagate.v1 import (
    chats_pb2,
    chats_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
)

from tests.support.stack import Stack, eventually

SESSION_FIELDS = {
    "autoRead": bool, "createdAt": int, "createdByUserId": str, "gatewayId": str, "id": str,
    "isAdminSession": bool, "label": str, "lastConnectedAt": (int, type(None)), "organizationId": str,
    "phoneNumber": (str, type(None)), "presenceTyping": bool, "ratePerHour": int, "ratePerMin": int,
    "status": str, "updatedAt": int, "waJid": (str, type(None)), "waLid": (str, type(None)),
}  # fmt: skip
MESSAGE_FIELDS = {
    "ackLevel": int, "body": str, "chatJid": str, "createdAt": int, "deleted": bool, "direction": str,
    "edited": bool, "error": (str, type(None)), "fromMe": bool, "hasMedia": bool, "id": int, "mentions": list,
    "quotedId": (str, type(None)), "reactions": list, "senderJid": str, "sessionId": str, "timestamp": int,
    "type": str, "waMessageId": str, "chatLid": (str, type(None)), "senderLid": (str, type(None)),
}  # fmt: skip
CHAT_FIELDS = {
    "archived": bool, "id": int, "jid": str, "lastMessageAt": (int, type(None)),
    "mutedUntil": (int, type(None)), "name": str, "pinned": bool, "sessionId": str, "type": str,
    "unreadCount": int,
}  # fmt: skip
TEXTS = (
    "Hello",
    "\N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL} \N{ROCKET} e\u0301",  # joined, astral, combining
    "שלום עולם \u200fمرحبا\u200f 123",  # noqa: RUF001 - right to left is the point
    'line\nbreak \t"quotes" \\ \u2028 \u0001',
    "x" * 60_000,
)


def fits(value: dict[str, object], fields: dict[str, object]) -> None:
    assert set(value) == set(fields)
    for name, kind in fields.items():
        assert isinstance(value[name], kind), name  # type: ignore[arg-type] # a type or a tuple of them
        assert kind is not int or not isinstance(value[name], bool), name


@pytest.mark.both_engines
def test_a_session_is_created_paired_and_works(stack: Stack) -> None:
    created = stack.rest.post("/sessions", json={"label": "sales"})
    assert created.status_code == httpx.codes.CREATED
    fits(created.json(), SESSION_FIELDS)
    assert created.json()["status"] == "stopped"
    assert created.json()["phoneNumber"] is None
    session = created.json()["id"]

    first = stack.rest.get(f"/sessions/{session}/qr")
    assert first.status_code in {200, 404}  # 404 until a code is ready
    code = stack.qr(session)
    assert stack.status(session) == "scan_qr_code"
    stack.sandbox.post("/phones/628110000009/scan", json={"qr": code}).raise_for_status()
    stack.await_status(session, "working")

    told = stack.rest.get(f"/sessions/{session}").json()
    fits(told, SESSION_FIELDS)
    assert told["phoneNumber"] == "628110000009"
    assert told["waJid"] == "628110000009@s.whatsapp.net"
    assert told["waLid"].endswith("@lid")
    assert told["gatewayId"]
    assert told["lastConnectedAt"] >= told["createdAt"]

    again = stack.rest.get(f"/sessions/{session}/qr")
    assert again.status_code == httpx.codes.CONFLICT

    gone = stack.rest.delete(f"/sessions/{session}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert stack.rest.get(f"/sessions/{session}").status_code == httpx.codes.NOT_FOUND
    devices = stack.sandbox.get("/phones/628110000009").json()["devices"]
    assert devices == []


@pytest.mark.parametrize("text", TEXTS, ids=["plain", "emoji", "rtl", "escapes", "60000"])
def test_a_text_arrives_under_its_id_and_unchanged(stack: Stack, session: str, ada: str, text: str) -> None:
    answer = stack.send(session, ada, text)

    assert answer.status_code == httpx.codes.OK
    result = answer.json()
    assert set(result) == {"mode", "outboxId", "replayed", "status", "timestamp", "waMessageId"}
    assert (result["mode"], result["status"], result["replayed"], result["outboxId"]) == (
        "sync",
        "sent",
        False,
        "",
    )
    assert isinstance(result["timestamp"], int)

    def arrived() -> dict[str, object] | None:
        return next((m for m in stack.heard("628120000001") if m["id"] == result["waMessageId"]), None)

    heard = eventually(arrived, "the person decrypts the text")
    assert heard["text"] == text
    assert heard["type"] == "text"


@pytest.mark.both_engines
def test_a_conversation_is_stored_newest_first(stack: Stack, session: str) -> None:
    ben = stack.person("628120000002", "Ben")
    sent = stack.send(session, ben, "How are you?").json()["waMessageId"]
    eventually(lambda: [m for m in stack.heard("628120000002") if m["id"] == sent], "Ben hears")
    replied = stack.says("628120000002", "628110000001", "Fine ✓")

    def both() -> list[dict[str, object]] | None:
        answer = stack.rest.get(f"/sessions/{session}/chats/{ben}/messages")
        data: list[dict[str, object]] = answer.json()["data"]
        return data if len(data) == 2 else None

    data = eventually(both, "both messages are stored")
    for message in data:
        fits(message, MESSAGE_FIELDS)
    assert [(m["direction"], m["body"], m["waMessageId"], m["fromMe"]) for m in data] == [
        ("in", "Fine ✓", replied, False),
        ("out", "How are you?", sent, True),
    ]
    assert {m["chatJid"] for m in data} == {ben}
    assert [m["senderJid"] for m in data] == [ben, "628110000001@s.whatsapp.net"]

    encoded = stack.rest.get(f"/sessions/{session}/chats/{ben.replace('@', '%40')}/messages")
    assert encoded.json()["data"] == data
    assert encoded.json()["nextCursor"] is None

    chats = stack.rest.get(f"/sessions/{session}/chats").json()
    chat = next(c for c in chats["data"] if c["jid"] == ben)
    fits(chat, CHAT_FIELDS)
    assert (chat["type"], chat["unreadCount"], chat["name"]) == ("dm", 1, "Ben")
    assert chat["lastMessageAt"] == data[0]["timestamp"]


def test_pages_follow_the_cursor(stack: Stack, session: str) -> None:
    eve = stack.person("628120000003", "Eve", kind="sink")
    ids = [stack.send(session, eve, f"{n}").json()["waMessageId"] for n in range(5)]
    path = f"/sessions/{session}/chats/{eve}/messages"

    seen, cursor = [], None
    while True:
        page = stack.rest.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [m["waMessageId"] for m in page["data"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        stack.send(session, eve, "arrives meanwhile")
    assert seen == ids[::-1]


@pytest.mark.both_engines
def test_the_same_over_grpc(stack: Stack, channel: grpc.Channel) -> None:
    metadata = (("authorization", f"Bearer {stack.ready['apiKey']}"),)
    sessions = sessions_pb2_grpc.SessionsStub(channel)
    ida = stack.person("628120000004", "Ida")
    created = sessions.CreateSession(
        sessions_pb2.CreateSessionRequest(label="g", start=True), metadata=metadata
    )

    def code() -> str | None:
        try:
            request = sessions_pb2.SessionQRRequest(session=created.id)
            return sessions.SessionQR(request, metadata=metadata).code
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return None

    stack.sandbox.post(
        "/phones/628110000004/scan", json={"qr": eventually(code, "a code")}
    ).raise_for_status()
    request = sessions_pb2.GetSessionRequest(session=created.id)
    eventually(
        lambda: sessions.GetSession(request, metadata=metadata).status == sessions_pb2.SESSION_STATUS_WORKING,
        "the session works",
    )
    draft = messages_pb2.OutgoingMessage(to=ida, type=messages_pb2.MESSAGE_TYPE_TEXT, text="by gRPC 🚀")
    result = messages_pb2_grpc.MessagesStub(channel).SendMessage(
        messages_pb2.SendMessageRequest(session=created.id, message=draft), metadata=metadata
    )
    assert result.status == messages_pb2.SEND_STATUS_SENT
    heard = eventually(lambda: stack.heard("628120000004"), "Ida hears")
    assert [(m["id"], m["text"]) for m in heard] == [(result.wa_message_id, "by gRPC 🚀")]

    stack.says("628120000004", "628110000004", "answer")
    listing = chats_pb2.ListChatMessagesRequest(session=created.id, cid=ida)
    chats = chats_pb2_grpc.ChatsStub(channel)
    found = eventually(
        lambda: len((page := chats.ListChatMessages(listing, metadata=metadata)).data) == 2 and page,
        "both messages are stored",
    )
    assert isinstance(found, chats_pb2.ListChatMessagesResponse)
    assert [m.direction for m in found.data] == [
        chats_pb2.MESSAGE_DIRECTION_IN,
        chats_pb2.MESSAGE_DIRECTION_OUT,
    ]
    assert [m.body for m in found.data] == ["answer", "by gRPC 🚀"]

    listed = sessions.ListSessions(sessions_pb2.ListSessionsRequest(), metadata=metadata)
    assert created.id in {s.id for s in listed.data}
    sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(session=created.id), metadata=metadata)


@pytest.mark.both_engines
def test_stop_start_logout(stack: Stack) -> None:
    session = stack.paired("628110000005")
    stopped = stack.rest.post(f"/sessions/{session}:stop")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped")
    assert stack.rest.post(f"/sessions/{session}:stop").json()["status"] == "stopped"
    refused = stack.send(session, stack.person("628120000006", kind="sink"), "no")
    assert refused.status_code == httpx.codes.CONFLICT
    assert refused.json()["error"]["details"] == {"status": "stopped"}

    assert stack.rest.post(f"/sessions/{session}:start").status_code == httpx.codes.OK
    stack.await_status(session, "working")
    assert stack.rest.post(f"/sessions/{session}:restart").status_code == httpx.codes.OK
    stack.await_status(session, "working")

    out = stack.rest.post(f"/sessions/{session}:logout")
    assert (out.status_code, out.json()["status"], out.json()["waJid"]) == (200, "logged_out", None)
    assert stack.sandbox.get("/phones/628110000005").json()["devices"] == []
    stack.sandbox.post("/phones/628110000005/scan", json={"qr": stack.qr(session)}).raise_for_status()
    stack.await_status(session, "working")


def test_the_phone_unlinks_the_device(stack: Stack) -> None:
    session = stack.paired("628110000006")
    device = stack.sandbox.get("/phones/628110000006").json()["devices"][0]["device"]
    stack.sandbox.delete(f"/phones/628110000006/devices/{device}").raise_for_status()
    stack.await_status(session, "logged_out")
