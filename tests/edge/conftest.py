"""A real Envoy in front of a real node, on free ports."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.edge.gateway import Gateway
from tests.edge.wire import Connection


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that no test stops."""
    with Gateway(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture
def rest(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        yield client


@pytest.fixture
def connection(gateway: Gateway) -> Iterator[Connection]:
    opened = Connection(gateway.port)
    yield opened
    opened.close()


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose parts a test may stop."""
    with Gateway(tmp_path) as running:
        yield running


@pytest.fixture
def own_rest(own_gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_gateway.url, timeout=20) as client:
        yield client
