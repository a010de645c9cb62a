"""Everything that a session can send and do, as the receiving person's own client decrypted it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.stack import Stack, eventually

ACCOUNT = "628110000021"
ADA, BOB, EVE = "628120000021", "628120000022", "628120000023"
JID = "{}@s.whatsapp.net"


@pytest.fixture(scope="module")
def session(stack: Stack) -> str:
    for number, name in ((ADA, "Ada"), (BOB, "Bob"), (EVE, "Eve")):
        stack.person(number, name)
    return stack.paired(ACCOUNT)


@pytest.fixture(scope="module")
def group(stack: Stack, session: str) -> str:
    """A group of Ada's with Bob in it, which the session has joined."""
    made = stack.sandbox.post("/groups", json={"by": ADA, "subject": "Friends", "members": [BOB]})
    made.raise_for_status()
    invite = f"https://chat.whatsapp.com/{made.json()['inviteCode']}"
    for _ in range(2):  # being a member already is fine
        joined = stack.rest.post(f"/sessions/{session}/groups:join", json={"invite": invite})
        assert joined.json() == {"groupJid": made.json()["jid"]}
    jid: str = made.json()["jid"]
    return jid


def send(stack: Stack, session: str, to: str, kind: str, **fields: Any) -> str:
    body = {"to": to, "type": kind, **fields}
    answer = stack.rest.post(f"/sessions/{session}/messages", json=body)
    assert answer.status_code == 200, answer.text
    message_id: str = answer.json()["waMessageId"]
    return message_id


def act(stack: Stack, method: str, path: str, **body: Any) -> str:
    answer = stack.rest.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    message_id: str = answer.json()["waMessageId"]
    return message_id


def heard(stack: Stack, number: str, message_id: str) -> dict[str, Any]:
    """The message with that id, as the person decrypted it."""

    def find() -> dict[str, Any] | None:
        return next((found for found in stack.heard(number) if found["id"] == message_id), None)

    return eventually(find, f"{number} has heard {message_id}")


def says(stack: Stack, number: str, to: str, **what: Any) -> str:
    answer = stack.sandbox.post(f"/contacts/{number}/messages", json={"to": to, **what})
    assert answer.status_code == 200, answer.text
    message_id: str = answer.json()["id"]
    return message_id


def stored(stack: Stack, session: str, chat: str, message_id: str) -> dict[str, Any]:
    """The message with that id in the stored copy."""

    def find() -> dict[str, Any] | None:
        if stack.rest.get(f"/sessions/{session}/chats/{chat}").status_code != 200:
            return None
        return next((m for m in stack.stored(session, chat) if m["waMessageId"] == message_id), None)

    return eventually(find, f"{message_id} is stored")


def test_a_text(stack: Stack, session: str) -> None:
    mid = send(stack, session, JID.format(ADA), "text", text='שלום 👩‍👩‍👧 \\"\n')
    message = heard(stack, ADA, mid)
    assert (message["kind"], message["text"]) == ("text", 'שלום 👩‍👩‍👧 \\"\n')
    assert (message["from"], message["chat"]) == (JID.format(ACCOUNT), JID.format(ACCOUNT))


def test_a_reply_quotes_the_stored_message_and_mentions(stack: Stack, session: str) -> None:
    question = says(stack, ADA, ACCOUNT, text="are you coming?")
    stored(stack, session, JID.format(ADA), question)
    mid = send(
        stack,
        session,
        JID.format(ADA),
        "text",
        text=f"@{BOB} yes",
        replyTo=question,
        mentions=[JID.format(BOB)],
    )
    message = heard(stack, ADA, mid)
    assert (message["quoted"]["id"], message["quoted"]["text"]) == (question, "are you coming?")
    assert len(message["mentions"]) == 1
    kept = stored(stack, session, JID.format(ADA), mid)
    assert (kept["quotedId"], kept["mentions"]) == (question, [JID.format(BOB)])


def test_a_place(stack: Stack, session: str) -> None:
    mid = send(stack, session, JID.format(ADA), "location", latitude=-6.25, longitude=106.5, name="Office")
    message = heard(stack, ADA, mid)
    assert message["kind"] == "location"
    assert message["location"] == {"latitude": -6.25, "longitude": 106.5, "name": "Office"}


@pytest.mark.parametrize(
    "contact",
    [
        {"name": "Grace Hopper", "phone": "+62 812-0000-099"},
        "BEGIN:VCARD\nVERSION:3.0\nFN:Grace Hopper\nTEL;waid=628120000099:+628120000099\nEND:VCARD",
    ],
    ids=["name and phone", "vcard"],
)
def test_a_contact(stack: Stack, session: str, contact: object) -> None:
    message = heard(stack, ADA, send(stack, session, JID.format(ADA), "contact", contact=contact))
    assert (message["kind"], message["contact"]["name"]) == ("contact", "Grace Hopper")
    assert "waid=628120000099:+628120000099" in message["contact"]["vcard"]


def test_a_poll_and_the_session_s_own_vote_in_another_s(stack: Stack, session: str) -> None:
    chat = JID.format(ADA)
    options = ["soup", "bread", "rice"]
    mid = send(stack, session, chat, "poll", name="Lunch?", options=options, selectableCount=2)
    message = heard(stack, ADA, mid)
    assert message["poll"] == {"name": "Lunch?", "options": options, "selectableCount": 2}
    theirs = says(stack, ADA, ACCOUNT, poll={"name": "Dinner?", "options": options, "selectableCount": 2})
    stored(stack, session, chat, theirs)
    path = f"/sessions/{session}/messages/{theirs}/vote"
    for chosen in (["soup", "rice"], ["bread"], []):
        vote = heard(stack, ADA, act(stack, "POST", path, chat=chat, sender=chat, options=chosen))
        assert (vote["kind"], vote["vote"]["target"]) == ("vote", theirs)
        assert sorted(vote["vote"]["options"]) == sorted(chosen)


def test_an_edit(stack: Stack, session: str) -> None:
    chat = JID.format(ADA)
    mid = send(stack, session, chat, "text", text="helo")
    edit = act(stack, "PATCH", f"/sessions/{session}/messages/{mid}", chat=chat, text="hello")
    message = heard(stack, ADA, edit)
    assert (message["kind"], message["edit"]["target"], message["edit"]["text"]) == ("edit", mid, "hello")
    kept = stored(stack, session, chat, mid)
    assert (kept["body"], kept["edited"]) == ("hello", True)


def test_a_revoke(stack: Stack, session: str) -> None:
    chat = JID.format(ADA)
    mid = send(stack, session, chat, "text", text="oops")
    revoke = act(stack, "DELETE", f"/sessions/{session}/messages/{mid}", chat=chat, sender="")
    message = heard(stack, ADA, revoke)
    assert (message["kind"], message["revoke"]["target"]) == ("revoke", mid)
    assert stored(stack, session, chat, mid)["deleted"] is True


def test_reactions_to_what_both_sides_wrote(stack: Stack, session: str) -> None:
    chat = JID.format(ADA)
    theirs = says(stack, ADA, ACCOUNT, text="news")
    stored(stack, session, chat, theirs)
    mine = send(stack, session, chat, "text", text="mine")
    for mid, sender in ((theirs, chat), (mine, "")):
        path = f"/sessions/{session}/messages/{mid}/reaction"
        for emoji in ("👍", "❤️"):
            added = heard(stack, ADA, act(stack, "POST", path, chat=chat, sender=sender, emoji=emoji))
            assert (added["kind"], added["reaction"]["target"], added["reaction"]["emoji"]) == (
                "reaction",
                mid,
                emoji,
            )
        assert [r["emoji"] for r in stored(stack, session, chat, mid)["reactions"]] == ["❤️"]
        taken = heard(stack, ADA, act(stack, "DELETE", path, chat=chat, sender=sender, emoji="❤️"))
        assert (taken["reaction"]["target"], taken["reaction"]["emoji"]) == (mid, "")
        assert stored(stack, session, chat, mid)["reactions"] == []


@pytest.mark.parametrize(
    ("kind", "fields", "same"),
    [
        ("text", {"text": "pass it on"}, lambda m: m["text"] == "pass it on"),
        (
            "location",
            {"latitude": 1.5, "longitude": 2.5, "name": "There"},
            lambda m: m["location"] == {"latitude": 1.5, "longitude": 2.5, "name": "There"},
        ),
        (
            "contact",
            {"contact": {"name": "Grace", "phone": "628120000099"}},
            lambda m: m["contact"]["name"] == "Grace",
        ),
    ],
    ids=["text", "location", "contact"],
)
def test_a_forward_is_a_faithful_copy(
    stack: Stack, session: str, kind: str, fields: dict[str, Any], same: Callable[[dict[str, Any]], bool]
) -> None:
    mid = send(stack, session, JID.format(ADA), kind, **fields)
    path = f"/sessions/{session}/messages/{mid}/forward"
    copy = act(stack, "POST", path, chat=JID.format(ADA), sender="", to=JID.format(BOB))
    message = heard(stack, BOB, copy)
    assert (message["kind"], message["forwarded"]) == (kind, True)
    assert message["forwardingScore"] >= 1
    assert same(message)


def test_what_another_wrote_is_forwarded_too(stack: Stack, session: str) -> None:
    theirs = says(stack, ADA, ACCOUNT, text="a rumour")
    stored(stack, session, JID.format(ADA), theirs)
    path = f"/sessions/{session}/messages/{theirs}/forward"
    copy = act(stack, "POST", path, chat=JID.format(ADA), sender="", to=JID.format(BOB))
    message = heard(stack, BOB, copy)
    assert (message["text"], message["forwarded"]) == ("a rumour", True)
    assert message["from"] == JID.format(ACCOUNT)


def test_an_async_send(stack: Stack, session: str) -> None:
    answer = stack.rest.post(
        f"/sessions/{session}/messages",
        params={"async": "true"},
        json={"to": JID.format(BOB), "type": "text", "text": "in your own time"},
    )
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    eventually(
        lambda: [m for m in stack.heard(BOB) if m.get("text") == "in your own time"], "Bob has heard it"
    )


def test_a_message_to_a_group_reaches_every_member(stack: Stack, session: str, group: str) -> None:
    mid = send(stack, session, group, "text", text=f"@{BOB} hello all", mentions=[JID.format(BOB)])
    for number in (ADA, BOB):
        message = heard(stack, number, mid)
        assert (message["chat"], message["text"]) == (group, f"@{BOB} hello all")
        assert message["from"] == JID.format(ACCOUNT)
        assert len(message["mentions"]) == 1
    assert stack.rest.get(f"/sessions/{session}/chats/{group}").json()["type"] == "group"


def test_actions_in_a_group(stack: Stack, session: str, group: str) -> None:
    theirs = says(stack, ADA, group, text="who is in?")
    kept = stored(stack, session, group, theirs)
    assert (kept["senderJid"], kept["direction"]) == (JID.format(ADA), "in")
    path = f"/sessions/{session}/messages/{theirs}"
    reply = send(stack, session, group, "text", text="me", replyTo=theirs)
    reaction = act(stack, "POST", f"{path}/reaction", chat=group, sender=JID.format(ADA), emoji="👍")
    edit = act(stack, "PATCH", f"/sessions/{session}/messages/{reply}", chat=group, text="not me")
    revoke = act(stack, "DELETE", f"/sessions/{session}/messages/{reply}", chat=group, sender="")
    for number in (ADA, BOB):
        assert heard(stack, number, reply)["quoted"]["id"] == theirs
        assert heard(stack, number, reaction)["reaction"]["target"] == theirs
        assert heard(stack, number, edit)["edit"]["text"] == "not me"
        assert heard(stack, number, revoke)["revoke"]["target"] == reply


def test_a_poll_in_a_group_takes_the_session_s_vote(stack: Stack, session: str, group: str) -> None:
    poll = says(stack, ADA, group, poll={"name": "When?", "options": ["now", "later"]})
    stored(stack, session, group, poll)
    path = f"/sessions/{session}/messages/{poll}/vote"
    vote = act(stack, "POST", path, chat=group, sender=JID.format(ADA), options=["later"])
    for number in (ADA, BOB):
        assert heard(stack, number, vote)["vote"]["options"] == ["later"]


def test_an_admin_revokes_what_another_wrote(stack: Stack, session: str, group: str) -> None:
    theirs = says(stack, BOB, group, text="rude")
    stored(stack, session, group, theirs)
    body = {"chat": group, "sender": JID.format(BOB)}
    promoted = stack.sandbox.post(
        f"/groups/{group}/members", json={"change": "promote", "members": [ACCOUNT]}
    )
    promoted.raise_for_status()
    revoke = act(stack, "DELETE", f"/sessions/{session}/messages/{theirs}", **body)
    message = heard(stack, ADA, revoke)
    assert (message["revoke"]["target"], message["revoke"]["sender"]) == (theirs, JID.format(BOB))
    assert stored(stack, session, group, theirs)["deleted"] is True


def test_an_invite_that_was_reset_is_refused(stack: Stack, session: str) -> None:
    made = stack.sandbox.post("/groups", json={"by": EVE, "subject": "Closed", "members": []}).json()
    stack.sandbox.post(f"/groups/{made['jid']}/invite").raise_for_status()
    answer = stack.rest.post(f"/sessions/{session}/groups:join", json={"invite": made["inviteCode"]})
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {"invite"}


def test_the_other_side_sees_typing_and_reading(stack: Stack, session: str) -> None:
    path = f"/sessions/{session}/chats/{JID.format(BOB)}/presence"
    answer = stack.rest.put(path, json={"state": "composing"})
    assert (answer.status_code, answer.content) == (204, b"")

    def typing() -> bool:
        return "composing" in stack.sandbox.get(f"/contacts/{BOB}/seen").text

    eventually(typing, "Bob sees typing")
