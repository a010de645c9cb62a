"""Examples, run as programs by somebody who follows their headers."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.stack import DEADLINE
from tools import node

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def command(example: str) -> list[str]:
    """What runs an example.

    Args:
        example: its path below examples/.
    """
    programs = {".py": sys.executable, ".sh": "sh", ".ts": str(node.NODE)}
    return [programs[Path(example).suffix], str(EXAMPLES / example)]


class Running:
    """An example that runs, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Reads along in a thread, so that waiting can end."""
        self._process = process
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="example")
        self._thread.start()

    def line(self) -> str:
        """The next line that it prints."""
        found = self._lines.get(timeout=DEADLINE)
        assert found is not None, f"it ended with {self._process.wait()}"
        return found

    def line_with(self, text: str) -> str:
        """The next line that holds a text."""
        while text not in (found := self.line()):
            pass
        return found

    def end(self) -> None:
        """Kills it and what it has started, as a machine does that loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._thread.join()
        if self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


@dataclass(frozen=True)
class Setting:
    """Where and with which variables an example runs."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, words: Sequence[str], **variables: str) -> "subprocess.CompletedProcess[str]":
        """Runs a program to its end."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env={**os.environ, **self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )

    @contextmanager
    def running(self, words: Sequence[str], **variables: str) -> Iterator[Running]:
        """Runs a program for as long as the block runs; what it starts itself ends with it."""
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.variables, **variables},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        program = Running(process)
        try:
            yield program
        finally:
            program.end()
