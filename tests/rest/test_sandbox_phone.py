"""`wagate pair --sandbox-phone`: a session is linked without a phone, and without anybody's hand."""

import subprocess
import sys

import pytest

from server.commands.exits import Exit
from tests.support.stack import Stack


def pair(stack: Stack, session: str, number: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a newcomer does."""
    return subprocess.run(
        [sys.executable, "-m", "server.cli", "pair", session, "--sandbox-phone", number],
        env={**stack.environment, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def waiting(stack: Stack) -> str:
    """A session that nobody has linked."""
    session: str = stack.rest.post("/sessions", json={"label": "waiting"}).json()["id"]
    return session


def test_a_virtual_phone_links_a_session(stack: Stack, waiting: str) -> None:
    done = pair(stack, waiting, "+62 811 000-0031")
    assert done.returncode == 0, done.stderr
    assert "is linked to 628110000031 and works" in " ".join(done.stdout.split())
    assert stack.status(waiting) == "working"


def test_what_the_phone_says_is_told(stack: Stack, waiting: str) -> None:
    done = pair(stack, waiting, "12")
    assert done.returncode != 0
    assert "'12' is no phone number" in " ".join(done.stderr.split())


def test_without_a_sandbox_it_says_how_to_get_one(stack: Stack, waiting: str) -> None:
    done = pair(stack, waiting, "628110000032", WAGATE_SANDBOX_PORT="1")
    assert done.returncode == Exit.NOT_CONNECTED
    assert "no sandbox answers at http://127.0.0.1:1" in " ".join(done.stderr.split())
    assert "wagate up --sandbox" in " ".join(done.stderr.split())
