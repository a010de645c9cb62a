"""A sandbox network for each module, healed after each test."""

from collections.abc import AsyncIterator

import pytest

from tests.wire.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SandboxProcess]:
    """The module's network; tests take ``sandbox``."""
    process = SandboxProcess(tmp_path_factory.mktemp("wire") / "data")
    await process.start()
    try:
        yield process
    finally:
        await process.close()


@pytest.fixture
async def sandbox(network: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The module's network, without faults before and after the test."""
    yield network
    await network.heal()
