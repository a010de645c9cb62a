"""One running product for the commands of this folder, and one session that works."""

from collections.abc import Iterator

import pytest

from tests.cli.shell import Shell
from tests.support.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Wide enough for the fault that makes a send wait for an acknowledgement that never comes.
    settings = {"WAGATE_WEBHOOK_ALLOW_PRIVATE": "1", "WAGATE_SEND_TIMEOUT": "2"}
    with running(tmp_path_factory.mktemp("cli") / "data", **settings) as product:
        yield product


@pytest.fixture(scope="session")
def shell(stack: Stack) -> Shell:
    """Beside the product, with its settings."""
    return Shell(stack.environment)


@pytest.fixture(scope="session")
def session(stack: Stack) -> str:
    """A session that works, labelled with its number."""
    return stack.paired("628210000001")


@pytest.fixture(scope="session")
def at_work(shell: Shell, session: str) -> Shell:
    """A shell whose commands are about that session."""
    return shell.but(WAGATE_SESSION=session)


@pytest.fixture(scope="session")
def ada(stack: Stack) -> str:
    """A person's number."""
    stack.person("628220000001", "Ada")
    return "628220000001"
