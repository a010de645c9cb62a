"""Every event of the catalogue, provoked over the sandbox's network and held to its golden example."""

from typing import Any

import httpx
import pytest

from tests.support import golden
from tests.support.event_schemas import payloads
from tests.support.stack import Stack, eventually
from tests.support.told import telling

ACCOUNT, ADA, BOB = "628110000041", "628120000041", "628120000042"
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


def test_every_name_has_an_example() -> None:
    assert set(payloads()) <= {path.stem for path in golden.GOLDEN.glob("*.json")}


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


def test_votes_in_a_poll(stack: Stack, session: str) -> None:
    poll = {"to": CHAT, "type": "poll", "name": "Lunch?", "options": ["Soup", "Salad"], "selectableCount": 1}
    with telling(stack, ["poll.vote"]) as events:
        sent = stack.rest.post(f"/sessions/{session}/messages", json=poll)
        sent.raise_for_status()
        mid = sent.json()["waMessageId"]
        # a person can vote once their phone has the poll
        eventually(
            lambda: any(
                heard["id"] == mid for heard in stack.sandbox.get(f"/contacts/{ADA}/messages").json()
            ),
            "Ada has the poll",
        )
        says(stack, vote={"target": mid, "options": ["Salad"]})
        golden.check(next(events))
        own = stack.rest.post(
            f"/sessions/{session}/messages/{mid}/vote", json={"chat": CHAT, "options": ["Salad"]}
        )
        own.raise_for_status()
        payload = next(events)["payload"]
        assert (payload["voterJid"], payload["tally"][1]) == (
            f"{ACCOUNT}@s.whatsapp.net",
            {"option": "Salad", "votes": 2},
        )
        says(stack, vote={"target": mid, "options": []})
        assert [one["votes"] for one in next(events)["payload"]["tally"]] == [0, 1]


def test_how_far_a_message_came_in_a_group(stack: Stack, session: str) -> None:
    stack.person(BOB, "Bob")
    fields = {"by": ADA, "subject": "Readers", "members": [ACCOUNT, BOB]}
    group = stack.sandbox.post("/groups", json=fields).json()["jid"]
    with telling(stack, ["message.status"]) as events:
        sent = stack.send(session, group, "Hello")
        sent.raise_for_status()
        delivered = [next(events)["payload"] for _ in range(2)]
        assert {one["participantJid"] for one in delivered} == {CHAT, f"{BOB}@s.whatsapp.net"}
        assert {(one["status"], one["ackLevel"]) for one in delivered} == {("delivered", 2)}
        ids = {"ids": [sent.json()["waMessageId"]], "chat": group}
        for reader in (BOB, ADA):
            stack.sandbox.post(f"/contacts/{reader}/read", json=ids).raise_for_status()
            payload = next(events)["payload"]
            assert (payload["participantJid"], payload["status"]) == (f"{reader}@s.whatsapp.net", "read")


def test_a_session_that_is_paired(stack: Stack) -> None:
    with telling(stack, ["session.status", "auth.qr"]) as events:
        session = stack.paired("628110000042")
        told = [next(events) for _ in range(5)]
    assert {event["session"] for event in told} == {session}
    names = [event["payload"].get("status", event["event"]) for event in told]
    assert names == ["starting", "scan_qr_code", "auth.qr", "starting", "working"]
    golden.check(told[2])
    golden.check(told[4])


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


def test_a_group_that_changed(stack: Stack, session: str) -> None:
    with telling(stack, ["group.updated", "chat.updated"]) as events:
        made = stack.sandbox.post("/groups", json={"by": ADA, "subject": "Friends", "members": [ACCOUNT]})
        made.raise_for_status()
        group = made.json()["jid"]
        named, joined = sorted((next(events), next(events)), key=lambda event: str(event["event"]))
        assert (named["payload"]["chat"]["name"], named["payload"]["chatJid"]) == ("Friends", group)
        assert (joined["payload"]["change"], joined["payload"]["groupJid"]) == ("joined", group)
    stack.person(BOB, "Bob")
    with telling(stack, ["group.updated"]) as events:
        stack.sandbox.post(f"/groups/{group}/members", json={"change": "add", "members": [BOB]})
        golden.check(next(events))
        for fields, told in (
            ({"subject": "Old friends"}, ("subject", "Old friends")),
            ({"description": "Since school"}, ("description", "Since school")),
            ({"announce": True}, ("announce", "true")),
            ({"locked": True}, ("locked", "true")),
        ):
            stack.sandbox.patch(f"/groups/{group}", json=fields).raise_for_status()
            event = next(events)
            assert (event["payload"]["change"], event["payload"]["value"]) == told
        for change, told_change in (("promote", "promoted"), ("demote", "demoted"), ("remove", "removed")):
            stack.sandbox.post(f"/groups/{group}/members", json={"change": change, "members": [BOB]})
            event = next(events)
            assert event["payload"]["change"] == told_change
            assert [person["jid"] for person in event["payload"]["participants"]] == [f"{BOB}@s.whatsapp.net"]
        stack.sandbox.post(f"/groups/{group}/invite").raise_for_status()
        assert next(events)["payload"]["change"] == "invite"
        stack.sandbox.post(f"/groups/{group}/members", json={"change": "remove", "members": [ACCOUNT]})
        assert next(events)["payload"]["change"] == "left"
    assert stack.rest.get(f"/sessions/{session}/chats/{group}").json()["name"] == "Old friends"


@pytest.mark.usefixtures("session")
def test_what_somebody_does_at_this_moment(stack: Stack) -> None:
    with telling(stack, ["presence"]) as events:
        for state in ("recording", "paused", "composing"):
            stack.sandbox.post(
                f"/contacts/{ADA}/show", json={"state": state, "to": ACCOUNT}
            ).raise_for_status()
            event = next(events)
            assert event["payload"]["state"] == state
        golden.check(event)


@pytest.mark.usefixtures("session")
def test_a_call(stack: Stack) -> None:
    with telling(stack, ["call"]) as events:
        rings = stack.sandbox.post(f"/contacts/{ADA}/calls", json={"to": ACCOUNT, "video": True})
        rings.raise_for_status()
        call_id = rings.json()["id"]
        event = next(events)
        assert event["payload"]["callId"] == call_id
        golden.check(event)
        stack.sandbox.post(f"/calls/{call_id}/accept").raise_for_status()
        assert next(events)["payload"]["state"] == "accepted"
        stack.sandbox.delete(f"/calls/{call_id}", params={"reason": "timeout"}).raise_for_status()
        ended = next(events)["payload"]
        assert (ended["callId"], ended["state"], ended["reason"]) == (call_id, "ended", "timeout")


@pytest.mark.usefixtures("session")
def test_a_call_of_a_group(stack: Stack) -> None:
    made = stack.sandbox.post("/groups", json={"by": ADA, "subject": "Team", "members": [ACCOUNT]}).json()
    with telling(stack, ["call"]) as events:
        fields = {"to": ACCOUNT, "video": False, "group": made["jid"]}
        stack.sandbox.post(f"/contacts/{ADA}/calls", json=fields).raise_for_status()
        payload = next(events)["payload"]
        assert (payload["groupJid"], payload["video"], payload["state"]) == (made["jid"], False, "ringing")


@pytest.mark.usefixtures("session")
def test_history(stack: Stack) -> None:
    with telling(stack, ["history.synced", "message"]) as events:
        past = {"messages": 20, "chats": 2, "with": [ADA]}
        stack.sandbox.post(f"/phones/{ACCOUNT}/history", json=past).raise_for_status()
        told = [next(events) for _ in range(5)]
    kinds = ["initial_bootstrap", "push_name", "non_blocking_data", "initial_status_v3", "recent"]
    assert [event["payload"]["type"] for event in told] == kinds
    golden.check(told[0])
    assert (told[-1]["payload"]["messages"], told[-1]["payload"]["progress"]) == (18, 100)
