"""One running product for the examples, whose webhooks may lead to loopback."""

from collections.abc import Iterator

import pytest

from tests.examples.program import Setting
from tests.support.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("examples") / "data", WAGATE_WEBHOOK_ALLOW_PRIVATE="1") as product:
        yield product


@pytest.fixture(scope="session")
def session(stack: Stack) -> str:
    """A session that works."""
    return stack.paired("628110000001")


@pytest.fixture(scope="session")
def ada(stack: Stack) -> str:
    """A person."""
    return stack.person("628120000001", "Ada")


@pytest.fixture
def setting(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """Where somebody runs an example: an empty folder, and the variables that its header names."""
    variables = {
        "WAGATE_URL": stack.ready["http"],
        "WAGATE_GRPC": stack.ready["grpc"],
        "WAGATE_API_KEY": stack.ready["apiKey"],
    }
    return Setting(tmp_path_factory.mktemp("example"), variables)
