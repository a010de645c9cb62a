"""`wagate pair`: by the code that stands on the terminal, and by one that is typed."""

import io
import re

import pytest
import segno

from tests.cli.shell import Running, Shell
from tests.support.stack import Stack, eventually


def drawn(code: str) -> list[str]:
    """How a code looks on a terminal."""
    drawing = io.StringIO()
    segno.make_qr(code).terminal(out=drawing, compact=True)
    return plain(drawing.getvalue())


def plain(text: str) -> list[str]:
    return [
        line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "").splitlines()
    ]


def scanned_from(running: Running, stack: Stack, session: str, number: str) -> None:
    """Scans the code that is on the terminal: it must be the one that the gateway gives out."""

    def read() -> str | None:
        code = stack.qr(session)
        lines, drawing = plain(running.text), drawn(code)
        at = [n for n, line in enumerate(lines) if line == drawing[0]]
        return code if any(lines[n : n + len(drawing)] == drawing for n in at) else None

    code = eventually(read, "the terminal shows the code")
    stack.sandbox.post(f"/phones/{number}/scan", json={"qr": code}).raise_for_status()


def test_by_the_code_on_the_terminal(stack: Stack, shell: Shell) -> None:
    session = shell.well("sessions", "create", "--label", "by qr", "--json").json["id"]
    with shell.starting("pair", "by qr", columns=100) as running:
        scanned_from(running, stack, session, "628210000031")
        assert running.end() == 0
        assert f"Session {session} is linked to 628210000031 and works." in running.text
    # It works already: said at once.
    assert "is linked to 628210000031" in shell.well("pair", session).out
    shell.well("sessions", "stop", session)
    assert shell.well("pair", session, "--json").lines[-1]["status"] == "working"


def test_by_a_code_that_is_typed(stack: Stack, shell: Shell) -> None:
    session = shell.well("sessions", "create", "--label", "by code", "--json").json["id"]
    with shell.starting("pair", session, "--code", "+62 821 0000 032") as running:
        text = running.shows("then type:")
        code = eventually(
            lambda: re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", running.text), f"a code in {text}"
        )
        stack.sandbox.post("/phones/628210000032/code", json={"code": code[0]}).raise_for_status()
        assert running.end() == 0
        assert "is linked to 628210000032" in running.text
    shell.well("sessions", "delete", session, "--yes")


def test_a_session_that_waits_is_taken(shell: Shell) -> None:
    waiting = shell.well("sessions", "create", "--json").json["id"]
    with shell.starting("pair", "--json") as running:
        running.shows('"code"')
        assert f'"session":"{waiting}"' in running.text
        assert running.interrupt() == 130
    shell.well("sessions", "delete", waiting, "--yes")


@pytest.mark.parametrize("number", ["12", "0123456", "nobody"])
def test_a_number_that_is_none(shell: Shell, number: str) -> None:
    session = shell.well("sessions", "create", "--json").json["id"]
    refused = shell.run("pair", session, "--code", number)
    assert (refused.code, "phone" in refused.err) == (2, True)
    shell.well("sessions", "delete", session, "--yes")


def test_an_account_that_wants_a_passkey(stack: Stack, shell: Shell) -> None:
    """WhatsApp does not link it: the command ends and says who must act."""
    session = shell.well("sessions", "create", "--label", "passkey", "--json").json["id"]
    stack.fault(kind="passkey", number="628210000033")
    try:
        with shell.starting("pair", session, columns=100) as running:
            running.shows("Linked devices")
            code = stack.qr(session)
            stack.sandbox.post("/phones/628210000033/scan", json={"qr": code})
            assert running.end() == 1
            assert "passkey" in running.text
    finally:
        stack.clear_faults()
    shell.well("sessions", "delete", session, "--yes")
