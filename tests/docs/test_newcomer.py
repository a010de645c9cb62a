"""What a newcomer does: the README's commands and nothing else, from a clone to a message that is read."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT, section
from tests.support.stack import eventually, free_port

README: Final = ROOT / "README.md"
MOST_COMMANDS: Final = 6
"""How many commands a newcomer may have to type."""
PATIENCE: Final = 900.0
"""Seconds that installing may take on a busy machine whose caches are cold; what it took is printed."""


def commands(code: str) -> list[str]:
    """The commands of a block: lines joined where they go on, without remarks.

    What is joined by `&&` or `;` counts as several; a pipeline, or a loop that waits, is typed as one.
    """
    lines = re.sub(r"\\\n\s*", " ", code).splitlines()
    typed = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [
        part.strip()
        for line in typed
        for part in (line.split("&&") if "; do" not in line else [line])
        if part.strip()
    ]


def clean_environment() -> dict[str, str]:
    """What a fresh login has, what pip needs to reach its index, and free ports for the usual ones."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"HOME", "LANG", "SSL_CERT_FILE"}
        or name.startswith("PIP_")
        or name.lower().endswith("_proxy")
    }
    ports = ("HTTP", "GRPC", "REALTIME", "SANDBOX")
    path = os.environ["PATH"].replace(f"{ROOT / '.venv' / 'bin'}{os.pathsep}", "")
    return {**kept, "PATH": path, **{f"WAGATE_{name}_PORT": str(free_port()) for name in ports}}


@contextmanager
def first_terminal(folder: Path, environment: dict[str, str], typed: list[str]) -> Iterator[Path]:
    """Types commands of which the last one goes on until Ctrl+C; gives out what they print."""
    output = folder / "first-terminal.txt"
    with output.open("w") as screen:
        shell = subprocess.Popen(
            ["bash", "-c", "set -e\n" + "\n".join(typed)],
            cwd=folder,
            env=environment,
            stdout=screen,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            eventually(
                lambda: "Everything serves" in output.read_text() or shell.poll() is not None,
                "everything serves",
                PATIENCE,
            )
            assert shell.poll() is None, output.read_text()
            yield output
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGINT)
            shell.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 120)
def test_from_a_clone_to_a_message_that_is_read(tmp_path: Path, show_figures: Callable[[str], None]) -> None:
    start, rest, *_ = (
        block.code for block in section(README, "The first ten minutes") if block.language == "sh"
    )
    environment = clean_environment()
    begin = time.monotonic()
    first = [command.replace("<this repository>", str(ROOT)) for command in commands(start)]
    with first_terminal(tmp_path, environment, first):
        serving = time.monotonic()
        usual = {"8080": environment["WAGATE_HTTP_PORT"], "8090": environment["WAGATE_SANDBOX_PORT"]}
        second = re.sub(r"(?<=127\.0\.0\.1:)(8080|8090)", lambda port: usual[port[0]], rest)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", second],
            cwd=tmp_path / "wagate",
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        read = time.monotonic()
    assert done.returncode == 0, done.stderr
    assert "Hello Ada" in done.stdout.splitlines()[-1]
    count = len(first) + len(commands(rest))
    show_figures(
        f"{count} commands, {read - begin:.0f} s from git clone to the message that was read,"
        f" {serving - begin:.0f} s of them until everything served, at a load of {os.getloadavg()[1]:.0f}"
        f" on {os.cpu_count()} cores"
    )
    assert count <= MOST_COMMANDS
