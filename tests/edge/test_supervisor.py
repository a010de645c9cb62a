"""`wagate up`: starts in order, says where everything is, restarts what dies, leaves nothing behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from server.supervisor.up import main
from tests.edge.gateway import HOST, eventually, free_port

PARTS = ["sandbox", "node", "envoy"]


class Up:
    """A running supervisor and what it has said."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        (folder / "root").write_text("11" * 32)
        self.ports = {name: free_port() for name in ("HTTP", "GRPC", "REALTIME", "SANDBOX")}
        self.data = folder / "data"
        self._err = folder / "stderr"
        environment = {f"WAGATE_{name}_PORT": str(port) for name, port in self.ports.items()}
        environment |= {"WAGATE_DATA_DIR": str(self.data), **settings}
        with self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.edge.supervised", str(folder), *arguments],
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                env={**os.environ, **environment},
            )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports['HTTP']}"

    @property
    def said(self) -> list[str]:
        return self._err.read_text().splitlines()

    def ready(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.wait()}: {self.said}"
        return line

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [c for c in self.children() if all(word in " ".join(_line(c)) for word in words)]
            return len(found) == 1 and "launch.py" not in " ".join(_line(found[0]))

        eventually(look, f"a process with {words}")
        return found[0]

    @property
    def node(self) -> psutil.Process:
        return self.child("tests.edge.echo")

    @property
    def envoy(self) -> psutil.Process:
        return self.child("envoy", "--concurrency")

    @property
    def sandbox(self) -> psutil.Process:
        return self.child("tests.edge.fake_sandbox")

    def serves(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v1/sessions", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def count(self, *words: str) -> int:
        return sum(all(word in line for word in words) for line in self.said)

    def end(self) -> None:
        """Leaves nothing behind, whatever the test has done."""
        if self.process.poll() is None:
            children = self.children()
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self.process.communicate()


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive, f"left behind: {alive}"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path, "--sandbox", "--json")
    yield running
    running.end()


def test_it_starts_in_order_and_says_one_line(up: Up) -> None:
    line = up.ready()

    assert json.loads(line) == {
        "http": up.url,
        "grpc": f"{HOST}:{up.ports['HTTP']}",
        "node": f"{HOST}:{up.ports['GRPC']}",
        "sandbox": f"http://{HOST}:{up.ports['SANDBOX']}",
        "view": f"{up.url}/sandbox/view/",
        "apiKey": "wa_a-key-for-tests",
    }
    assert [said.split()[1] for said in up.said] == PARTS
    assert up.serves()
    wire = {
        key: up.node.environ().get(key)
        for key in ("WAGATE_WIRE_PROXY", "WAGATE_WIRE_ROOT_KEY", "SSL_CERT_FILE")
    }
    assert wire == {
        "WAGATE_WIRE_PROXY": f"http://{HOST}:{up.ports['SANDBOX']}",
        "WAGATE_WIRE_ROOT_KEY": "11" * 32,
        "SSL_CERT_FILE": "/nowhere/ca.pem",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(up: Up, number: signal.Signals) -> None:
    up.ready()
    children = up.children()
    assert len(children) == 4  # and what the sandbox has started

    up.process.send_signal(number)

    out, _ = up.process.communicate(timeout=20)
    assert (up.process.returncode, out) == (0, "")
    gone(children)
    assert [said.split()[1] for said in up.said if said.endswith("stopped")] == PARTS[::-1]


def test_a_signal_while_it_starts_stops_it_too(tmp_path: Path) -> None:
    up = Up(tmp_path, "--node", "import signal; signal.pause()")
    try:
        node = up.child("signal.pause")
        up.process.send_signal(signal.SIGTERM)

        out, _ = up.process.communicate(timeout=20)
        assert (up.process.returncode, out) == (0, "")
        gone([node])
    finally:
        up.end()


def test_a_stubborn_process_is_killed_when_a_second_signal_comes(tmp_path: Path) -> None:
    (tmp_path / "stubborn").touch()
    up = Up(tmp_path, "--sandbox", "--json")
    try:
        up.ready()
        children = up.children()
        begun = time.monotonic()
        up.process.send_signal(signal.SIGTERM)
        eventually(lambda: up.count("node", "stopped") == 1, "the sandbox's turn")
        up.process.send_signal(signal.SIGTERM)

        assert up.process.wait(20) == 0
        assert time.monotonic() - begun < 9  # its grace is 10 s
        gone(children)
    finally:
        up.end()


def test_a_killed_supervisor_leaves_no_children(up: Up) -> None:
    up.ready()
    children = [up.node, up.envoy, up.sandbox]

    up.process.kill()

    gone(children)
    grandchild = int((up.folder / "grandchild").read_text())
    psutil.Process(grandchild).kill()  # its parent's business: see docs/operations.md


@pytest.mark.parametrize("part", PARTS)
def test_what_is_killed_is_back_at_once(up: Up, part: str) -> None:
    up.ready()
    before: psutil.Process = getattr(up, part)

    before.kill()
    begun = time.monotonic()
    eventually(lambda: up.count(part, "ready") == 2 and up.serves(), f"{part} is back")

    assert time.monotonic() - begun < 15
    assert getattr(up, part).pid != before.pid
    assert up.count(part, "was killed by SIGKILL; starts again;") == 1
    others = [name for name in PARTS if name != part]
    assert all(up.count(name, "ready") == 1 for name in others)


def test_what_a_killed_process_had_started_ends_with_it(up: Up) -> None:
    up.ready()
    grandchild = psutil.Process(int((up.folder / "grandchild").read_text()))

    up.sandbox.kill()

    gone([grandchild])


def test_a_sandbox_with_other_keys_renews_the_node(up: Up) -> None:
    up.ready()
    before = up.node
    (up.folder / "root").write_text("22" * 32)

    up.sandbox.kill()
    eventually(lambda: up.count("node", "ready") == 2, "the node is renewed")

    assert not before.is_running()
    assert up.node.environ()["WAGATE_WIRE_ROOT_KEY"] == "22" * 32
    eventually(up.serves, "it serves")


def test_what_keeps_dying_is_started_again_ever_more_slowly(tmp_path: Path) -> None:
    up = Up(tmp_path, "--json", "--node", "import sys; sys.exit('it is broken')")
    try:
        eventually(lambda: up.count("node", "ended with exit code 1") >= 4, "it is tried four times")
        tries = [said for said in up.said if "ended with exit code 1" in said]

        assert "starts again;" in tries[0]
        waits = [float(said.partition("starts again in ")[2].split(" ")[0]) for said in tries[1:4]]
        assert 0.2 <= waits[0] <= 0.5 <= waits[1] + 0.05 <= 1.05
        assert 0.9 <= waits[2] <= 2.0
        assert all(
            "last words: it is broken" in said and str(up.data / "logs" / "node.log") in said
            for said in tries
        )
        assert up.process.poll() is None
    finally:
        up.end()


@pytest.mark.parametrize("name", ["HTTP", "GRPC", "SANDBOX"])
def test_a_busy_port_is_named_before_anything_starts(up: Up, tmp_path: Path, name: str) -> None:
    up.ready()
    folder = tmp_path / "second"
    folder.mkdir()

    second = Up(folder, "--sandbox", "--json", **{f"WAGATE_{name}_PORT": str(up.ports[name])})
    out, _ = second.process.communicate(timeout=20)

    assert (second.process.returncode, out) == (1, "")
    assert len(second.said) == 1
    assert f"Another process listens on {HOST}:{up.ports[name]}" in second.said[0]
    assert f"or set WAGATE_{name}_PORT." in second.said[0]
    assert not (second.data / "logs").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"WAGATE_HTTP_HOST": "203.0.113.7"}, ["no address 203.0.113.7", "WAGATE_HTTP_HOST"]),
        ({"WAGATE_DATA_DIR": "/dev/null/data"}, ["cannot use /dev/null/data/run", "WAGATE_DATA_DIR"]),
        (
            {"WAGATE_HTTP_PORT": "2", "WAGATE_GRPC_PORT": "2"},
            ["are both 2", "WAGATE_HTTP_PORT", "WAGATE_GRPC_PORT"],
        ),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(
    tmp_path: Path, settings: dict[str, str], words: list[str]
) -> None:
    up = Up(tmp_path, "--json", **settings)
    out, _ = up.process.communicate(timeout=20)

    assert (up.process.returncode, out) == (1, "")
    assert len(up.said) == 1
    assert all(word in up.said[0] for word in words)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTP_PORT", "abc"), ("GRPC_PORT", "0"), ("SANDBOX_PORT", "65536"), ("HTTP_HOST", "localhost")],
)
def test_a_setting_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"WAGATE_{variable}", value)

    assert main(sandbox=False, json_output=True) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"wagate: WAGATE_{variable}: ")
    assert err.count("\n") == 1


def test_a_data_directory_has_one_supervisor(up: Up, tmp_path: Path) -> None:
    up.ready()
    folder = tmp_path / "second"
    folder.mkdir()

    second = Up(folder, "--json", WAGATE_DATA_DIR=str(up.data))
    out, _ = second.process.communicate(timeout=20)

    assert (second.process.returncode, out) == (1, "")
    assert second.said == [f"wagate: another `wagate up` runs on {up.data}: end it first."]
    assert up.serves()


def test_without_the_sandbox_the_wire_is_left_as_it_was(tmp_path: Path) -> None:
    up = Up(tmp_path, "--json", WAGATE_WIRE_PROXY="http://127.0.0.1:1", SSL_CERT_FILE="/nowhere/own.pem")
    try:
        assert json.loads(up.ready())["sandbox"] is None
        environment = up.node.environ()
        assert environment["WAGATE_WIRE_PROXY"] == "http://127.0.0.1:1"
        assert environment["SSL_CERT_FILE"] == "/nowhere/own.pem"
        assert "WAGATE_WIRE_ROOT_KEY" not in environment
        assert len(up.children()) == 2
    finally:
        up.end()


def test_people_get_commands_with_the_real_ports(tmp_path: Path) -> None:
    up = Up(tmp_path, "--sandbox")
    try:
        assert up.process.stdout is not None
        text = ""
        while "Ctrl+C" not in text:
            text += up.process.stdout.readline()
        assert f"export WAGATE_URL={up.url}\n" in text
        assert f"{up.url}/console/" in text
        assert f"{up.url}/sandbox/view/" in text
        assert f"export WAGATE_SANDBOX_PORT={up.ports['SANDBOX']}\n" in text
        assert "wa_a-key-for-tests" in text
        script = text.partition("terminal:")[2].partition("Ctrl+C")[0]
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    finally:
        up.end()


def test_the_logs_keep_the_run_before(tmp_path: Path) -> None:
    for _ in range(2):
        up = Up(tmp_path, "--sandbox", "--json")
        try:
            up.ready()
            up.process.send_signal(signal.SIGTERM)
            assert up.process.wait(20) == 0
        finally:
            up.end()

    logs = up.data / "logs"
    assert {path.name for path in logs.iterdir()} == {
        f"{part}.log{end}" for part in PARTS for end in ("", ".1")
    }
    assert all(
        (logs / name).read_text().startswith("the stand-in serves\n")
        for name in ("sandbox.log", "sandbox.log.1")
    )
