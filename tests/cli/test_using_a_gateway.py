"""Commands that call a running gateway: what they do, for people and as JSON."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.shell import Shell
from tests.support.stack import Stack, eventually


def heard_by(stack: Stack, number: str, message: str) -> dict[str, Any]:
    """A message as a person decrypted it, once they have."""
    return eventually(
        lambda: next((m for m in stack.heard(number) if m["id"] == message), None), f"{number} has it"
    )


def test_sessions_are_made_listed_stopped_and_deleted(stack: Stack, shell: Shell) -> None:
    made = shell.well("sessions", "create", "--label", "till 3", "--presence-typing", "--json").json
    assert made == stack.rest.get(f"/sessions/{made['id']}").json()
    assert (made["label"], made["presenceTyping"], made["status"]) == ("till 3", True, "stopped")

    listed = shell.well("sessions", "list").out
    assert listed.splitlines()[0].split() == ["ID", "STATUS", "NUMBER", "LABEL"]
    assert f"{made['id']}  stopped" in listed
    everything = shell.well("sessions", "list", "--json").json
    assert everything == stack.rest.get("/sessions", params={"limit": 200}).json()

    # By its label as well as by its id.
    shown = shell.well("sessions", "show", "till 3").out
    assert made["id"] in shown
    assert "who acts" in shown
    started = shell.well("sessions", "start", made["id"], "--json").json
    assert started["status"] in {"starting", "scan_qr_code"}
    stack.await_status(made["id"], "scan_qr_code")
    health = shell.well("sessions", "health", "till 3").out
    assert "a person scans the code" in health
    assert shell.well("sessions", "stop", "till 3", "--json").json["status"] == "stopped"

    refused = shell.run("sessions", "delete", "till 3")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    gone = shell.well("sessions", "delete", "till 3", "--yes")
    assert made["id"] in gone.out
    assert stack.rest.get(f"/sessions/{made['id']}").status_code == httpx.codes.NOT_FOUND


def test_a_session_is_restarted_and_logged_out(stack: Stack, shell: Shell) -> None:
    session = stack.paired("628210000009")
    assert shell.well("sessions", "restart", session, "--json").json["id"] == session
    stack.await_status(session, "working")
    answer = shell.well("sessions", "logout", session, "--json").json
    assert answer["id"] == session
    stack.await_status(session, "logged_out")
    again = shell.run("send", "628220000001", "Hello", "--session", session)
    assert again.code == 5
    assert "wagate pair" in again.err
    shell.well("sessions", "delete", session, "--yes")


def test_a_text_is_sent_and_its_repetition_is_not(stack: Stack, at_work: Shell, ada: str) -> None:
    first = at_work.well("send", ada, "Hello from the shell", "--idempotency-key", "cli-1", "--json").json
    assert (first["status"], first["mode"], first["replayed"]) == ("sent", "sync", False)
    again = at_work.well("send", f"+{ada}", "Hello from the shell", "--idempotency-key", "cli-1")
    assert first["waMessageId"] in again.out
    assert "nothing was sent now" in again.out
    eventually(lambda: any(m["id"] == first["waMessageId"] for m in stack.heard(ada)), "Ada has it")
    assert [m.get("text") for m in stack.heard(ada)].count("Hello from the shell") == 1


def test_a_text_comes_from_standard_input(stack: Stack, at_work: Shell, ada: str) -> None:
    text = "two\nlines, and a tab\t\N{ROCKET}"
    at_work.well("send", ada, "-", stdin=text + "\n")
    eventually(lambda: any(m.get("text") == text for m in stack.heard(ada)), "Ada has it")


def test_an_answer_with_a_mention_is_sent_from_the_queue(stack: Stack, at_work: Shell, ada: str) -> None:
    asked = stack.says(ada, "628210000001", "How are you?")
    eventually(lambda: "How are you?" in at_work.well("chats", "messages", ada).out, "the question is stored")
    queued = at_work.well(
        "send", ada, "Fine", "--reply-to", asked, "--mention", ada, "--async", "--json"
    ).json
    assert (queued["status"], queued["mode"]) == ("queued", "async")
    answer = eventually(
        lambda: next((m for m in stack.heard(ada) if m.get("text") == "Fine"), None), "Ada has the answer"
    )
    assert answer["quoted"]["id"] == asked
    assert answer["mentions"]


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (
            ("--poll", "Lunch?", "--option", "Soup", "--option", "Rice", "--choices", "1"),
            {"poll": {"name": "Lunch?", "options": ["Soup", "Rice"], "selectableCount": 1}},
        ),
        (
            ("--location", "52.5,13.25", "--name", "Berlin"),
            {"location": {"latitude": 52.5, "longitude": 13.25, "name": "Berlin"}},
        ),
    ],
)
def test_other_types_are_sent(
    stack: Stack, at_work: Shell, ada: str, words: tuple[str, ...], heard: dict[str, object]
) -> None:
    message = heard_by(stack, ada, at_work.well("send", ada, *words, "--json").json["waMessageId"])
    assert {name: message[name] for name in heard} == heard


def test_a_contact_is_sent(stack: Stack, at_work: Shell, ada: str) -> None:
    sent = at_work.well("send", ada, "--contact", "Kim Lee,+49 170 1234567", "--json").json["waMessageId"]
    contact = heard_by(stack, ada, sent)["contact"]
    assert contact["name"] == "Kim Lee"
    assert "491701234567" in contact["vcard"]


def test_a_vcard_is_sent_from_its_file(stack: Stack, at_work: Shell, ada: str, tmp_path: Path) -> None:
    card = tmp_path / "card.vcf"
    card.write_text("BEGIN:VCARD\nVERSION:3.0\nFN:Jo Doe\nTEL;waid=491701:+49 1701\nEND:VCARD\n")
    sent = at_work.well("send", ada, "--vcard", str(card), "--json").json["waMessageId"]
    assert "FN:Jo Doe" in heard_by(stack, ada, sent)["contact"]["vcard"]


def test_a_file_is_refused_as_the_gateway_refuses_it(at_work: Shell, ada: str, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    refused = at_work.run("send", ada, "--image", str(picture))
    assert (refused.code, "cannot be sent yet" in refused.err) == (1, True)
    missing = at_work.run("send", ada, "--image", str(tmp_path / "none.png"))
    assert (missing.code, "none.png" in missing.err) == (2, True)


def test_what_is_said_of_a_message(at_work: Shell, ada: str) -> None:
    mid = at_work.well("send", ada, "First words", "--json").json["waMessageId"]
    at_work.well("messages", "edit", ada, mid, "Better words")
    at_work.well("messages", "react", ada, mid, "\N{THUMBS UP SIGN}")

    def marked() -> bool:
        shown = at_work.well("chats", "messages", ada).out
        return "Better words" in shown and "edited" in shown and "\N{THUMBS UP SIGN}" in shown

    eventually(marked, "the message shows both")
    at_work.well("messages", "unreact", ada, mid)
    copy = at_work.well("messages", "forward", ada, mid, ada, "--json").json
    assert copy["status"] == "sent"
    assert at_work.well("messages", "revoke", ada, mid, "--json").json["status"] == "sent"
    eventually(lambda: "deleted" in at_work.well("chats", "messages", ada).out, "it is shown as deleted")


def test_a_vote_is_given(stack: Stack, at_work: Shell, ada: str) -> None:
    answer = stack.sandbox.post(
        f"/contacts/{ada}/messages",
        json={"to": "628210000001", "poll": {"name": "Tea?", "options": ["yes", "no"]}},
    )
    poll = answer.raise_for_status().json()["id"]
    eventually(lambda: "Tea?" in at_work.well("chats", "messages", ada).out, "the poll is stored")
    assert at_work.well("messages", "vote", ada, poll, "yes", "--json").json["status"] == "sent"
    eventually(lambda: any(m["kind"] == "vote" for m in stack.heard(ada)), "Ada has the vote")


def test_chats_are_listed_changed_and_deleted(stack: Stack, at_work: Shell, session: str) -> None:
    jid = stack.person("628220000002", "Kim")
    stack.says("628220000002", "628210000001", "Hi, it is Kim")
    eventually(lambda: jid in at_work.well("chats", "list").out, "the chat is stored")

    listed = at_work.well("chats", "list", "--json").json
    assert listed == stack.rest.get(f"/sessions/{session}/chats").json()
    shown = at_work.well("chats", "show", "628220000002", "--json").json
    assert (shown["jid"], shown["unreadCount"]) == (jid, 1)
    assert at_work.well("chats", "read", jid, "--json").json["unreadCount"] == 0
    assert at_work.well("chats", "pin", jid, "--json").json["pinned"] is True
    assert at_work.well("chats", "unpin", jid, "--json").json["pinned"] is False
    assert at_work.well("chats", "archive", jid, "--json").json["archived"] is True
    assert "archived" in at_work.well("chats", "list").out
    assert at_work.well("chats", "unarchive", jid, "--json").json["archived"] is False
    muted = at_work.well("chats", "mute", jid, "--for", "1w", "--json").json["mutedUntil"]
    assert muted is not None
    assert at_work.well("chats", "unmute", jid, "--json").json["mutedUntil"] is None
    at_work.well("chats", "typing", jid)
    at_work.well("chats", "typing", jid, "--off", "--json")
    assert at_work.run("chats", "delete", jid).code == 2
    at_work.well("chats", "delete", jid, "--yes")
    assert at_work.run("chats", "show", jid).code == 3


def test_messages_come_page_by_page(stack: Stack, at_work: Shell, session: str) -> None:
    jid = stack.person("628220000003", "Jo")
    for number in range(5):
        stack.says("628220000003", "628210000001", f"line {number}")
    eventually(lambda: len(stack.stored(session, jid)) == 5, "all are stored")

    first = at_work.well("chats", "messages", jid, "--limit", "2", "--json").json
    assert [m["body"] for m in first["data"]] == ["line 4", "line 3"]
    second = at_work.well(
        "chats", "messages", jid, "--limit", "2", "--cursor", first["nextCursor"], "--json"
    ).json
    assert [m["body"] for m in second["data"]] == ["line 2", "line 1"]
    everything = at_work.well("chats", "messages", jid, "--all", "--json").json
    assert (len(everything["data"]), everything["nextCursor"]) == (5, None)
    # For people the newest stands at the bottom, next to the prompt.
    shown = at_work.well("chats", "messages", jid, "--limit", "2")
    assert shown.out.index("line 3") < shown.out.index("line 4")
    assert "--cursor" in shown.err


def test_a_group_is_joined_by_its_invite(stack: Stack, at_work: Shell, ada: str) -> None:
    group = stack.sandbox.post("/groups", json={"by": ada, "subject": "Friends", "members": []}).json()
    joined = at_work.well("groups", "join", f"https://chat.whatsapp.com/{group['inviteCode']}")
    assert group["jid"] in joined.out


def test_another_gateway_is_named_and_a_key_is_in_a_file(stack: Stack, shell: Shell, tmp_path: Path) -> None:
    elsewhere = shell.but(WAGATE_DATA_DIR=str(tmp_path / "empty"), WAGATE_HTTP_PORT="1")
    key_file = tmp_path / "key"
    key_file.write_text(stack.ready["apiKey"] + "\n")
    by_file = elsewhere.well("sessions", "list", "--url", stack.ready["http"], "--key-file", str(key_file))
    by_stdin = elsewhere.well(
        "sessions", "list", "--address", stack.ready["node"], "--key-file", "-", stdin=stack.ready["apiKey"]
    )
    by_variable = elsewhere.but(WAGATE_URL=stack.ready["http"], WAGATE_API_KEY=stack.ready["apiKey"]).well(
        "sessions", "list"
    )
    assert by_file.out == by_stdin.out == by_variable.out
