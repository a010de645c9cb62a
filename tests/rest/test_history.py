"""What a phone tells of the past when it links a session, as callers see it."""

from typing import Any

import pytest

from tests.support.stack import Stack, eventually
from tests.support.told import OLDEST, telling

ACCOUNT, CLEO = "628110000051", "628120000051"
CHAT = f"{CLEO}@s.whatsapp.net"
MESSAGES, CHATS = 2_000, 8


@pytest.fixture(scope="module")
def linked(stack: Stack) -> str:
    """A session whose phone had a past, all of which is stored."""
    stack.person(CLEO, "Cleo")
    past = {"messages": MESSAGES, "chats": CHATS, "with": [CLEO]}
    stack.sandbox.put(f"/phones/{ACCOUNT}/history", json=past).raise_for_status()
    session = stack.paired(ACCOUNT)
    with telling(stack, ["history.synced"], after=OLDEST) as events:
        for event in events:
            if event["session"] == session and event["payload"]["progress"] == 100:
                break
    return session


def chats(stack: Stack, session: str) -> dict[str, dict[str, Any]]:
    return {chat["jid"]: chat for chat in stack.rest.get(f"/sessions/{session}/chats").json()["data"]}


def test_all_chats_are_listed_as_the_phone_shows_them(stack: Stack, linked: str) -> None:
    listed = chats(stack, linked)
    assert len(listed) == CHATS
    # No person is there twice, whichever of the two names the phone used.
    assert not [jid for jid in listed if jid.endswith("@lid")]
    assert sorted(chat["type"] for chat in listed.values()) == ["dm"] * 6 + ["group"] * 2
    assert sum(chat["pinned"] for chat in listed.values()) == 1
    assert sum(chat["archived"] for chat in listed.values()) == 1
    assert {chat["unreadCount"] for chat in listed.values()} == {0, 1, 2}
    assert all(chat["name"] and chat["lastMessageAt"] for chat in listed.values())
    assert listed[CHAT]["name"] == "Cleo"


def test_old_messages_are_listed_with_what_was_done_to_them(stack: Stack, linked: str) -> None:
    found = [message for jid in chats(stack, linked) for message in stack.stored(linked, jid)]
    stubs = sum(n % 25 == 23 and n % CHATS in (3, 7) for n in range(MESSAGES))
    assert len(found) == MESSAGES - stubs
    assert {message["type"] for message in found} == {"text", "poll", "location", "image", "unknown"}
    edited = [message for message in found if message["edited"]]
    assert len(edited) == MESSAGES // 25
    assert all(message["body"].endswith("said better") for message in edited)
    deleted = [message for message in found if message["deleted"]]
    assert len(deleted) == MESSAGES // 25
    assert {message["body"] for message in deleted} == {""}
    reacted = [message for message in found if message["reactions"]]
    assert [len(message["reactions"]) for message in reacted] == [2] * (MESSAGES // 25)
    assert {message["ackLevel"] for message in found if message["fromMe"]} == {2, 3}
    assert {message["ackLevel"] for message in found if not message["fromMe"]} == {0}
    assert any(message["quotedId"] for message in found)


def test_a_chat_s_old_messages_are_in_their_order(stack: Stack, linked: str) -> None:
    times = [message["timestamp"] for message in stack.stored(linked, CHAT)]
    assert len(times) == MESSAGES // CHATS
    assert times == sorted(times, reverse=True)


def test_old_messages_are_no_events_of_their_own(stack: Stack, linked: str) -> None:
    with telling(stack, ["message", "history.synced"], after=OLDEST) as events:
        told = []
        for event in events:
            if event["session"] == linked:
                told.append(event["event"])
                if event["payload"].get("progress") == 100:
                    break
    assert set(told) == {"history.synced"}


def test_what_was_said_can_be_gone_on_with(stack: Stack, linked: str) -> None:
    theirs = next(
        message
        for message in stack.stored(linked, CHAT)
        if not message["fromMe"] and message["type"] == "text" and not message["edited"] and message["body"]
    )
    sent = stack.send(linked, CHAT, "as you said").json()["waMessageId"]
    body = {"to": CHAT, "type": "text", "text": "indeed", "replyTo": theirs["waMessageId"]}
    answer = stack.rest.post(f"/sessions/{linked}/messages", json=body)
    answer.raise_for_status()
    eventually(lambda: len(stack.heard(CLEO)) >= 2, "Cleo hears both")
    heard = {message["id"]: message for message in stack.heard(CLEO)}
    assert heard[sent]["text"] == "as you said"
    quoted = heard[answer.json()["waMessageId"]]["quoted"]
    assert (quoted["id"], quoted["text"]) == (theirs["waMessageId"], theirs["body"])
