"""A node over the network in memory."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.auth.login import LoginTokens
from server.whatsapp.memory import MemoryNetwork
from tests.support.frontend import Frontend, frontend
from tests.support.memory_node import MemoryNode, memory_node
from tests.unit.server.login_desk import OrganizationsInMemory, tokens_of
from tests.unit.server.office import Office, open_office


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


@pytest_asyncio.fixture
async def node(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[MemoryNode]:
    async with memory_node(tmp_path, network) as running:
        yield running


@pytest_asyncio.fixture
async def office(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[Office]:
    async with open_office(tmp_path, network) as serving:
        yield serving


@pytest.fixture
def organizations() -> OrganizationsInMemory:
    return OrganizationsInMemory()


@pytest.fixture
def front() -> Iterator[Frontend]:
    with frontend() as serving:
        yield serving


@pytest_asyncio.fixture
async def logins(front: Frontend, organizations: OrganizationsInMemory) -> AsyncIterator[LoginTokens]:
    tokens = tokens_of(front, organizations)
    yield tokens
    await tokens.close()
