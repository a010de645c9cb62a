"""A sandbox network for each module, healed after each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.wire.sandbox_process import SandboxProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests of this folder in one event loop, since their networks outlive a single test."""
    for item in items:
        if item.nodeid.startswith("tests/wire/") and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SandboxProcess]:
    """The module's network; tests take ``sandbox``."""
    process = SandboxProcess(tmp_path_factory.mktemp("wire") / "data")
    await process.start()
    try:
        yield process
    finally:
        await process.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(network: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The module's network, without faults before and after the test."""
    yield network
    await network.heal()
