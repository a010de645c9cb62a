"""An embedded database belongs to one node, whatever happens to that node."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.commands.exits import Exit

SECONDS = 30

PORTS = {"WAGATE_GRPC_PORT": "0", "WAGATE_REALTIME_PORT": "0"}


@contextmanager
def serving(data_dir: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Runs `wagate serve` on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PORTS, "WAGATE_DATA_DIR": str(data_dir), **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def says(process: subprocess.Popen[str], words: str) -> None:
    """Waits until a process has logged something."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if words in line:
            return
    raise AssertionError(f"it ended without saying {words!r}: {''.join(seen)}")


def test_a_second_node_on_the_same_data_directory_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        says(first, "serves gRPC")
        with serving(tmp_path) as second:
            _, told = second.communicate(timeout=SECONDS)
            assert second.returncode == Exit.NOT_CONNECTED
            assert f"process {first.pid}" in told
            assert "WAGATE_DATA_DIR" in told
            assert "Traceback" not in told
        # the first one goes on
        assert first.poll() is None
        # when it is killed, the next one begins at once
        first.kill()
        first.wait(SECONDS)
        with serving(tmp_path) as third:
            says(third, "serves gRPC")
            # and when it ends by itself, too
            third.send_signal(signal.SIGTERM)
            third.communicate(timeout=SECONDS)
            with serving(tmp_path) as fourth:
                says(fourth, "serves gRPC")


def test_the_lock_is_on_the_database_by_whichever_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "real")
    with serving(tmp_path / "one", WAGATE_DATABASE_URL=f"sqlite:///{tmp_path}/real/x.db") as first:
        says(first, "serves gRPC")
        with serving(tmp_path / "two", WAGATE_DATABASE_URL=f"sqlite:///{tmp_path}/other/x.db") as second:
            _, told = second.communicate(timeout=SECONDS)
            assert second.returncode == Exit.NOT_CONNECTED
            assert "serves the database" in told


def test_the_command_line_works_beside_a_node(tmp_path: Path) -> None:
    with serving(tmp_path) as node:
        says(node, "serves gRPC")
        made = subprocess.run(
            [sys.executable, "-m", "server.cli", "keys", "create"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            env={**os.environ, "WAGATE_DATA_DIR": str(tmp_path)},
        )
        assert made.stdout.startswith("wa_")
        assert node.poll() is None
