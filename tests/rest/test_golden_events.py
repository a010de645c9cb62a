"""Every event of the catalogue, provoked over the sandbox's network and held to its golden example."""

from typing import Any

import httpx
import pytest

from tests.support import golden
from tests.support.stack import Stack, eventually
from tests.support.told import telling

ACCOUNT, ADA = "628110000041", "628120000041"
CHAT = f"{ADA}@s.whatsapp.net"


@pytest.fixture(scope="module")
def session(stack: Stack) -> str:
    """A session whose chat with Ada has both of her names."""
    stack.person(ADA, "Ada")
    session = stack.paired(ACCOUNT)
    stack.says(ADA, ACCOUNT, "first")
    eventually(
        lambda: stack.rest.get(f"/sessions/{session}/chats/{CHAT}").status_code == httpx.codes.OK,
        "the chat with Ada is there",
    )
    return session


def says(stack: Stack, **what: Any) -> str:
    answer = stack.sandbox.post(f"/contacts/{ADA}/messages", json={"to": ACCOUNT, **what})
    answer.raise_for_status()
    message_id: str = answer.json()["id"]
    return message_id


def test_a_message(stack: Stack, session: str) -> None:
    with telling(stack, ["message"]) as events:
        says(stack, text="Hello")
        event = next(events)
    assert event["session"] == session
    golden.check(event)


@pytest.mark.usefixtures("session")
def test_what_is_done_to_a_message(stack: Stack) -> None:
    names = ["message.edited", "message.revoked", "message.reaction"]
    with telling(stack, names) as events:
        said = says(stack, text="Helo")
        says(stack, reaction={"target": said, "sender": ADA, "emoji": "👍"})
        golden.check(next(events))
        says(stack, edit={"target": said, "text": "Hello"})
        golden.check(next(events))
        says(stack, revoke={"target": said})
        golden.check(next(events))


def test_how_far_a_message_came(stack: Stack, session: str) -> None:
    with telling(stack, ["message.status"]) as events:
        stack.send(session, CHAT, "Hello").raise_for_status()
        golden.check(next(events))


def test_a_chat_that_changed(stack: Stack, session: str) -> None:
    path = f"/sessions/{session}/chats/{CHAT}"
    stack.rest.patch(path, json={"pinned": False}).raise_for_status()
    stack.rest.post(f"{path}/read").raise_for_status()
    with telling(stack, ["chat.updated"]) as events:
        stack.rest.patch(path, json={"pinned": True}).raise_for_status()
        golden.check(next(events))
