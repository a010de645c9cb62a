"""The suite of the port once more, with neonize over the real wire against the sandbox network.

It runs in a process of its own: Go reads SSL_CERT_FILE when the process starts, and neonize keeps the
first event loop for ever. What that process reports is what this test reports, test by test.
"""

import asyncio
import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.contract.port.conftest import SANDBOX
from tests.wire.sandbox_process import SandboxProcess

SUITE: Final = Path(__file__).parent / "port"
SECONDS: Final = 500
ONE_LOOP: Final = (
    "-o",
    "asyncio_default_test_loop_scope=session",
    "-o",
    "asyncio_default_fixture_loop_scope=session",
)


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[SandboxProcess]:
    process = SandboxProcess(tmp_path / "network")
    await process.start()
    try:
        yield process
    finally:
        await process.close()


async def pytest_of_the_suite(*options: str, environment: dict[str, str]) -> tuple[int, str]:
    """Runs pytest over the suite; returns its exit status and everything that it said."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", str(SUITE), "-p", "no:cacheprovider", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await child.communicate()
    except TimeoutError:
        child.kill()
        said, _ = await child.communicate()
    status = child.returncode
    assert status is not None
    return status, said.decode(errors="replace")


def outcomes(report: Path) -> dict[str, str]:
    """Each test of a JUnit report with "passed" or what became of it instead."""
    return {
        f"{case.get('classname')}::{case.get('name')}": "passed" if not len(case) else case[0].tag
        for case in ET.parse(report).iter("testcase")
    }


@pytest.mark.timeout(SECONDS + 60)
async def test_neonize_keeps_the_contract_of_the_port(sandbox: SandboxProcess, tmp_path: Path) -> None:
    # given the tests that the implementation in memory is held to
    status, said = await pytest_of_the_suite("--collect-only", "-q", environment={})
    assert status == 0, said
    expected = {line for line in said.splitlines() if "::" in line}
    assert len(expected) > 20
    # when neonize runs them over the wire
    report = tmp_path / "report.xml"
    status, said = await pytest_of_the_suite(
        f"--junit-xml={report}",
        "--timeout=120",
        *ONE_LOOP,
        environment={
            SANDBOX: sandbox.url,
            "WAGATE_WIRE_PROXY": sandbox.wire["proxy"],
            "WAGATE_WIRE_ROOT_KEY": sandbox.wire["rootKey"],
            "SSL_CERT_FILE": sandbox.wire["caFile"],
        },
    )
    # then every one of them has run and passed
    assert report.exists(), said
    ran = outcomes(report)
    assert {name: outcome for name, outcome in ran.items() if outcome != "passed"} == {}, said
    assert status == 0, said
    assert len(ran) == len(expected), said
