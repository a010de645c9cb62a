"""The whole product, run as a user runs it: `wagate up --sandbox --json`."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

Found = TypeVar("Found")

DEADLINE = 60.0
"""Seconds for anything to come true: generous, because the machine may be busy."""


def eventually(probe: Callable[[], Found | None], what: str, within: float = DEADLINE) -> Found:
    """Asks until the answer is true.

    Args:
        probe: what is asked.
        what: for the failure: what was waited for.
        within: seconds.
    """
    deadline = time.monotonic() + within
    pause = 0.01
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:.0f} s")
        time.sleep(pause)  # between two looks at the condition, never instead of one
        pause = min(0.2, pause * 1.5)


def free_port() -> int:
    """A port that nobody has at the moment."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Stack:
    """A running product.

    Attributes:
        data_dir: its data directory.
        ready: the line that it printed when everything served.
        environment: what it runs with, for commands beside it.
    """

    data_dir: Path
    process: subprocess.Popen[str]
    ready: dict[str, str]
    environment: dict[str, str]
    rest: httpx.Client = field(init=False)
    sandbox: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Opens clients to REST (with the local key) and to the sandbox's control API."""
        self.rest = httpx.Client(
            base_url=f"{self.ready['http']}/api/v1",
            headers={"authorization": f"Bearer {self.ready['apiKey']}"},
            timeout=60,
        )
        self.sandbox = httpx.Client(base_url=self.ready["sandbox"], timeout=60)

    def child(self, *words: str) -> psutil.Process:
        """The supervised process whose command line holds all of `words`; waits for it."""

        def find() -> psutil.Process | None:
            for process in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    line = " ".join(process.cmdline())
                    if all(word in line for word in words):
                        return process
            return None

        return eventually(find, f"a process with {words}")

    @property
    def node(self) -> psutil.Process:
        """The node's process."""
        return self.child("server.cli", "serve")

    @property
    def envoy(self) -> psutil.Process:
        """Envoy's process."""
        return self.child("envoy", "--concurrency")

    @property
    def network(self) -> psutil.Process:
        """The sandbox's process."""
        return self.child("-m", "sandbox")

    def cli(self, *words: str) -> str:
        """Runs a command of `wagate` on the same data; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def person(self, number: str, name: str = "Ada", kind: str = "person") -> str:
        """Puts a contact into the sandbox; returns their JID."""
        self.sandbox.put(f"/contacts/{number}", json={"name": name, "kind": kind}).raise_for_status()
        return f"{number}@s.whatsapp.net"

    def heard(self, number: str) -> list[dict[str, Any]]:
        """What a person has decrypted so far."""
        answer = self.sandbox.get(f"/contacts/{number}/messages")
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()
        return messages

    def says(self, number: str, to: str, text: str) -> str:
        """Lets a person send a text; returns its id."""
        answer = self.sandbox.post(f"/contacts/{number}/messages", json={"to": to, "text": text})
        answer.raise_for_status()
        message_id: str = answer.json()["id"]
        return message_id

    def fault(self, **fault: object) -> None:
        """Switches a fault on."""
        self.sandbox.post("/faults", json=fault).raise_for_status()

    def clear_faults(self) -> None:
        """Switches every fault off."""
        self.sandbox.delete("/faults").raise_for_status()

    def status(self, session: str) -> str:
        """A session's status by REST."""
        answer = self.rest.get(f"/sessions/{session}")
        status: str = answer.json()["status"] if answer.status_code == httpx.codes.OK else ""
        return status

    def await_status(self, session: str, status: str, within: float = DEADLINE) -> None:
        """Waits until a session has a status."""
        eventually(lambda: self.status(session) == status, f"session {session} is {status}", within)

    def qr(self, session: str) -> str:
        """Waits for a session's QR code."""

        def ask() -> str | None:
            answer = self.rest.get(f"/sessions/{session}/qr")
            code: str | None = answer.json()["code"] if answer.status_code == httpx.codes.OK else None
            return code

        return eventually(ask, f"a QR code of session {session}")

    def paired(self, number: str) -> str:
        """Creates a session, has the phone scan its code, waits until it works; returns its id."""
        session: str = self.rest.post("/sessions", json={"label": number, "start": True}).json()["id"]
        answer = self.sandbox.post(f"/phones/{number}/scan", json={"qr": self.qr(session)})
        answer.raise_for_status()
        self.await_status(session, "working")
        return session

    def stored(self, session: str, chat: str) -> list[dict[str, Any]]:
        """All stored messages of a chat, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.rest.get(
                f"/sessions/{session}/chats/{chat}/messages", params={"limit": 200, "cursor": cursor}
            )
            found += answer.json()["data"]
            cursor = answer.json()["nextCursor"]
        return found

    def send(self, session: str, to: str, text: str, **more: Any) -> httpx.Response:
        """Sends a text by REST."""
        return self.rest.post(
            f"/sessions/{session}/messages", json={"to": to, "type": "text", "text": text}, **more
        )


@contextlib.contextmanager
def running(data_dir: Path, **environment: str) -> Iterator[Stack]:
    """Runs the product on free ports; at the end it must stop by itself, leaving nothing behind.

    Args:
        data_dir: an empty directory.
        environment: further settings.
    """
    whole = {
        **os.environ,
        "WAGATE_DATA_DIR": str(data_dir),
        "WAGATE_HTTP_PORT": str(free_port()),
        "WAGATE_GRPC_PORT": str(free_port()),
        "WAGATE_REALTIME_PORT": str(free_port()),
        "WAGATE_SANDBOX_PORT": str(free_port()),
        # Tests and benchmarks send as fast as they like, unless they are about the rates.
        "WAGATE_RATE_PER_MIN": "0",
        "WAGATE_RATE_PER_HOUR": "0",
        **environment,
    }
    log = (data_dir.parent / f"{data_dir.name}.up.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "up", "--sandbox", "--json"],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=whole,
    )
    try:
        with _watchdog(process, 120):
            line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise AssertionError(f"the product did not start; see {log.name}")
        stack = Stack(data_dir, process, json.loads(line), whole)
        children = psutil.Process(process.pid).children(recursive=True)
        with stack.rest, stack.sandbox:
            yield stack
        children += psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, f"left behind: {alive}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
        log.close()


@contextlib.contextmanager
def _watchdog(process: "subprocess.Popen[str]", seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
