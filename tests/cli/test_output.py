"""How commands print: at 80 columns, without colours where nobody sees them, and into pipes that close."""

import os
import re
import subprocess

import pytest

from tests.cli.shell import PROGRAM, Shell
from tests.support.stack import Stack, eventually

STYLED = "\x1b["
LISTS = [
    ("sessions", "list"),
    ("sessions", "show"),
    ("sessions", "health"),
    ("chats", "list"),
    ("keys", "list"),
    ("tokens", "list"),
    ("webhooks", "list"),
]


@pytest.fixture(scope="module", autouse=True)
def _something_to_show(stack: Stack, at_work: Shell, ada: str) -> None:
    stack.person("628220000010", "A name that is much longer than a narrow column of a terminal")
    stack.says("628220000010", "628210000001", "wide " * 50)
    at_work.well("send", ada, "Hello")
    at_work.well("webhooks", "create", "http://127.0.0.1:9/a/path/that/goes/on/and/on/until/no/line/holds/it")
    eventually(lambda: "628220000010" in at_work.well("chats", "list").out, "the chat is stored")


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_tables_fit_on_a_terminal_of_80_columns(at_work: Shell, words: tuple[str, ...]) -> None:
    shown = at_work.on_terminal(*words)
    assert shown.code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
    assert plain.strip()
    assert max(len(line) for line in plain.splitlines()) <= 80


def test_what_is_copied_is_never_cut(at_work: Shell, session: str) -> None:
    assert session in at_work.on_terminal("sessions", "list", columns=40).out


def test_colours_are_for_terminals_and_for_those_who_want_them(at_work: Shell) -> None:
    for words in (("sessions", "show"), ("sessions", "list")):
        assert STYLED in at_work.on_terminal(*words).out
        assert STYLED not in at_work.well(*words).out
        without = at_work.but(NO_COLOR="1").on_terminal(*words).out
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", without)
    assert STYLED not in at_work.on_terminal("sessions", "list", "--json").out


def test_nothing_is_cut_where_a_program_reads(at_work: Shell) -> None:
    assert "until/no/line/holds/it" in at_work.well("webhooks", "list").out
    assert "wide " * 49 in at_work.well("chats", "messages", "628220000010").out


def test_what_others_wrote_commands_no_terminal(stack: Stack, at_work: Shell) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe [bold red]not styled[/]\r\nfrom: somebody else"
    stack.says("628220000010", "628210000001", evil)
    eventually(lambda: "owned" in at_work.well("chats", "messages", "628220000010").out, "it is stored")
    for shown in (
        at_work.well("chats", "messages", "628220000010").out,
        at_work.but(NO_COLOR="1").on_terminal("chats", "messages", "628220000010").out,
        at_work.well("events", "tail", "--since", "oldest", "--event", "message", "--count", "2").out,
        at_work.well("chats", "messages", "628220000010", "--json").out,
    ):
        assert not [mark for mark in ("\x1b]", "\x1b[2J", "\x07", "\u202e") if mark in shown]
    body = at_work.well("chats", "messages", "628220000010").out
    assert "[bold red]not styled[/]" in body
    assert "\n    from: somebody else" in body  # indented: it cannot look like another message


def test_a_pipe_that_closes_ends_a_command_quietly(at_work: Shell) -> None:
    """As under `| head -1`."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [PROGRAM, "events", "tail", "--since", "oldest", "--json"],
        env=at_work.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert os.read(reading, 1) == b"{"
    os.close(reading)
    # Nothing happens any more; it notices all the same.
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


def test_a_list_into_a_closed_pipe(at_work: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [PROGRAM, "chats", "list", "--json"],
        env=at_work.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_shell_is_told_how_to_complete(shell: Shell) -> None:
    for name, mark in (
        ("bash", "complete"),
        ("zsh", "#compdef wagate"),
        ("fish", "complete --command wagate"),
    ):
        script = shell.but(_WAGATE_COMPLETE=f"source_{name}").run()
        assert (script.code, mark in script.out) == (0, True)


def test_commands_and_sessions_are_completed(shell: Shell, session: str) -> None:
    def completed(line: str, asking: Shell = shell) -> list[str]:
        words = line.split(" ")
        asked = asking.but(_WAGATE_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
        return asked.well().out.split()

    assert set(completed("wagate se")) == {"serve", "send", "sessions"}
    assert "health" in completed("wagate sessions ")
    assert session in completed(f"wagate sessions show {session[:20]}")
    assert session in completed("wagate send 1 --session 0")
    assert completed("wagate sessions show 6282100000") == ["628210000001"]  # its label
    nobody = shell.but(WAGATE_URL="http://127.0.0.1:1")
    assert completed("wagate sessions show 0", nobody) == []


def test_help_names_every_command_and_exit_code(shell: Shell) -> None:
    told = shell.but(COLUMNS="80").well("--help").out
    for name in ("up", "serve", "sandbox", "doctor", "backup", "restore", "keys", "sessions", "pair", "send"):
        assert re.search(rf"\b{name}\b", told)
    assert "6 unknown" in told
    assert max(len(line) for line in told.splitlines()) <= 80
