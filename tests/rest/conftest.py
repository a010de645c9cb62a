"""One running product for all tests of this folder."""

from collections.abc import Iterator

import grpc
import pytest

from tests.support.databases import NewDatabase
from tests.support.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("rest") / "data", **new_database()) as product:
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
def channel(stack: Stack) -> Iterator[grpc.Channel]:
    """Native gRPC through Envoy."""
    with grpc.insecure_channel(stack.ready["grpc"]) as open_channel:
        yield open_channel
