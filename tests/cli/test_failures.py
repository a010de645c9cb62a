"""What commands say when they cannot, and with which exit code they end."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Done, Shell
from tests.support.stack import Stack, eventually, free_port

MISSING = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_no_gateway(shell: Shell) -> None:
    port = free_port()
    refused = shell.run("sessions", "list", "--url", f"http://127.0.0.1:{port}")
    assert refused.code == 5
    assert refused.out == ""
    assert f"nothing answers at http://127.0.0.1:{port}" in refused.err
    assert "wagate doctor" in refused.err
    assert "Traceback" not in refused.err


def test_something_else_answers(stack: Stack, shell: Shell) -> None:
    refused = shell.run("sessions", "list", "--url", stack.ready["sandbox"])
    assert refused.code == 5
    assert stack.ready["sandbox"] in refused.err


def test_no_key(stack: Stack, shell: Shell, tmp_path: Path) -> None:
    nowhere = shell.but(WAGATE_DATA_DIR=str(tmp_path))
    refused = nowhere.run("sessions", "list", "--url", stack.ready["http"])
    assert (refused.code, "WAGATE_API_KEY is not set" in refused.err) == (4, True)
    # The local key is for this machine alone.
    elsewhere = shell.run("sessions", "list", "--url", "https://gateway.example")
    assert (elsewhere.code, "https://gateway.example:443 is not this machine" in elsewhere.err) == (4, True)


@pytest.mark.parametrize("content", ["wa_not_a_key", "wa_one\nwa_two", "", "\x00" * 20_000])
def test_a_wrong_key(shell: Shell, tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    refused = shell.run("sessions", "list", "--key-file", str(file))
    assert refused.code == (4 if content == "wa_not_a_key" else 2)
    assert "key" in refused.err
    assert not content or content not in refused.err


def test_a_key_that_may_not(stack: Stack, shell: Shell, session: str) -> None:
    reader = shell.but(WAGATE_API_KEY=stack.cli("keys", "create", "--permissions", "read"))
    refused = reader.run("send", "628220000001", "Hello", "--session", session)
    assert (refused.code, "--permissions" in refused.err) == (4, True)
    # It cannot list sessions, so it must be told which one.
    unnamed = reader.run("chats", "list")
    assert (unnamed.code, "--session" in unnamed.err) == (4, True)
    assert reader.run("chats", "list", "--session", session).code == 0


def test_what_is_not_there(at_work: Shell) -> None:
    assert at_work.run("sessions", "show", MISSING).code == 3
    assert at_work.run("sessions", "show", "no such label").code == 3
    assert at_work.run("chats", "show", "4900000000").code == 3
    assert at_work.run("webhooks", "show", f"wh_{MISSING}").code == 3
    assert at_work.run("events", "tail", "--session", MISSING).code == 3


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("send",), "TO"),
        (("send", "628220000001"), "text"),
        (("send", "nobody", "Hello"), "to:"),
        (("send", "628220000001", "--location", "north"), "LAT,LON"),
        (("send", "628220000001", "--contact", "Kim"), "NAME,NUMBER"),
        (("send", "628220000001", "--poll", "a?", "--location", "1,1"), "--poll and --location"),
        (("events", "tail", "--since", "yesterday"), "7d"),
        (("events", "tail", "--since", "evt_1"), "id"),
        (("webhooks", "create", "ftp://example.com"), "url"),
        (("webhooks", "create", "http://example.com", "--header", "x"), "NAME: VALUE"),
        (("webhooks", "create", "http://example.com", "--policy", "x"), "exponential"),
        (("sessions", "list", "--url", "ftp://x"), "http://127.0.0.1:8080"),
        (("sessions", "list", "--no-such-option"), "no-such-option"),
    ],
)
def test_wrong_use(at_work: Shell, words: tuple[str, ...], hint: str) -> None:
    refused = at_work.run(*words)
    assert (refused.code, refused.out) == (2, "")
    # The box around a usage error breaks lines where it likes.
    assert hint.replace(" ", "") in "".join(refused.err.split()).replace(
        "\N{BOX DRAWINGS LIGHT VERTICAL}", ""
    )


def test_two_sessions_and_none_named(shell: Shell, session: str) -> None:
    other = shell.well("sessions", "create", "--label", "another", "--json").json["id"]
    refused = shell.run("chats", "list")
    assert (refused.code, "wagate sessions list" in refused.err) == (2, True)
    assert shell.run("chats", "list", "--session", session).code == 0
    stopped = shell.run("send", "628220000001", "Hello", "--session", "another")
    assert (stopped.code, "wagate pair" in stopped.err) == (5, True)
    shell.well("sessions", "delete", other, "--yes")


def test_an_answer_that_does_not_come(stack: Stack, at_work: Shell, ada: str) -> None:
    stack.fault(kind="ack_drop", number="628210000001")
    try:
        unknown = at_work.run("send", ada, "Did it arrive?")
    finally:
        stack.clear_faults()
    assert unknown.code == 6
    assert "wagate chats messages" in unknown.err
    # The session is connected anew over this: until then nothing is sent, and 5 says just that.
    again = eventually(lambda: sent_or_refused(at_work, ada), "a send that is not refused with 5")
    assert again.code == 0, again.err


def sent_or_refused(at_work: Shell, ada: str) -> Done | None:
    done = at_work.run("send", ada, "It works again")
    return None if done.code == 5 else done


def test_what_whatsapp_refuses(stack: Stack, at_work: Shell, ada: str) -> None:
    stack.fault(kind="ack_error", number="628210000001", code=463, count=1)
    try:
        refused = at_work.run("send", ada, "Hello", "--json")
    finally:
        stack.clear_faults()
    assert (refused.code, refused.out) == (1, "")
    error = json.loads(refused.err)["error"]
    assert error["code"] == "whatsapp_error"
    assert error["details"]["reason"]


def test_ctrl_c(at_work: Shell) -> None:
    with at_work.starting("events", "tail", "--since", "oldest") as running:
        running.shows("session.status")
        assert running.interrupt() == 130
        assert "Traceback" not in running.text
