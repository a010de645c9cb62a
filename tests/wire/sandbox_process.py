"""A sandbox network in a process of its own, on a free port, with a folder of its own."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.support.stack import free_port

Found = TypeVar("Found")

DEADLINE = 30.0
"""Seconds for anything to come true: generous, because the machine may be busy."""


async def eventually(
    probe: Callable[[], Awaitable[Found | None]], what: str, within: float = DEADLINE
) -> Found:
    """Asks until the answer is neither None nor False.

    Args:
        probe: What is asked.
        what: For the failure: what was waited for.
        within: Seconds.
    """
    deadline = time.monotonic() + within
    while True:
        found = await probe()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:.0f} s")
        await asyncio.sleep(0.02)  # between two looks at the condition, never instead of one


class SandboxProcess:
    """A sandbox network.

    Attributes:
        url: Its control API and, at the same port, its proxy.
        data_dir: Its data directory.
        wire: What a process needs to join, as ``GET /wire`` tells it.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.wire: dict[str, str] = {}
        self._http = httpx.AsyncClient(base_url=self.url, timeout=90)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log_file.read_text()

    @property
    def _log_file(self) -> Path:
        return self.data_dir.with_suffix(".log")

    async def request(self, method: str, path: str, json: object = None) -> httpx.Response:
        """One call of the control API."""
        return await self._http.request(method, path, json=json)

    async def send(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None = None
    ) -> httpx.Response:
        """One call of the control API as a browser or another program would make it."""
        return await self._http.request(method, path, headers=headers, content=content)

    async def send_bytes(self, path: str, content: bytes) -> httpx.Response:
        """One call of the control API that takes no JSON."""
        headers = {"content-type": "application/octet-stream"}
        return await self._http.post(path, content=content, headers=headers)

    async def ok(self, method: str, path: str, json: object = None) -> Any:
        """One call of the control API that must succeed; returns its JSON."""
        response = await self.request(method, path, json)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def fault(self, **fault: object) -> None:
        """Makes the network misbehave."""
        await self.ok("POST", "/faults", fault)

    async def heal(self) -> None:
        """Ends all faults."""
        await self.ok("DELETE", "/faults")

    async def start(self) -> None:
        """Starts the process and waits until it serves."""
        with self._log_file.open("ab") as log:
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                [sys.executable, "-m", "sandbox"],
                env={
                    **os.environ,
                    "WAGATE_SANDBOX_PORT": str(self._port),
                    "WAGATE_DATA_DIR": str(self.data_dir),
                },
                stdout=log,
                stderr=log,
            )
        await eventually(self._serves, "the sandbox serves")

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process, and sees to it that its children end too; returns its exit status."""
        process = self._process
        assert process is not None
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        status = await asyncio.to_thread(process.wait, DEADLINE)
        _, left = await asyncio.to_thread(psutil.wait_procs, children, DEADLINE)
        self._process = None
        assert not left, f"the sandbox left processes behind: {left}"
        return status

    async def people(self) -> psutil.Process:
        """The process of all persons."""
        process = self._process
        assert process is not None

        async def find() -> psutil.Process | None:
            children = psutil.Process(process.pid).children()
            return next((child for child in children if "sandbox.people" in child.cmdline()), None)

        return await eventually(find, "there is a people process")

    async def close(self) -> None:
        """Ends what still runs."""
        await self._http.aclose()
        if self._process is not None:
            await self.end()

    async def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the sandbox ended: {self.log}"
        with contextlib.suppress(httpx.TransportError):
            self.wire = await self.ok("GET", "/wire")
            return True
        return False
