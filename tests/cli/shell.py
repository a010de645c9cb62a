"""Runs the installed `wagate` as people do: in a pipe, or on a terminal."""

import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from typing import Any

from tests.support.stack import eventually

PROGRAM = str(Path(sys.executable).with_name("wagate"))
DEADLINE = 90.0
"""Seconds for a command: generous, because the machine may be busy."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        """The one document that it printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The documents that it printed, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Running:
    """A command under way, whose output is read as it comes."""

    process: subprocess.Popen[bytes]
    descriptor: int
    taken: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        """Begins to read."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self.descriptor, 65536)
            except OSError:  # a terminal whose other side has closed
                return
            if not chunk:
                return
            self.taken += chunk

    @property
    def text(self) -> str:
        """All that it has printed so far."""
        return bytes(self.taken).decode(errors="replace")

    def shows(self, words: str) -> str:
        """Waits until it has printed something; returns all so far."""
        eventually(lambda: words in self.text or self.process.poll() is not None, f"{words!r} is printed")
        assert words in self.text, self.text
        return self.text

    def interrupt(self) -> int:
        """Presses Ctrl+C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Waits for its end; returns the exit code."""
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code


@dataclass(frozen=True)
class Shell:
    """Where commands are run.

    Attributes:
        environment: theirs.
    """

    environment: dict[str, str]

    def but(self, **changes: str | None) -> "Shell":
        """The same with other variables; None leaves one out."""
        changed = {name: value for name, value in changes.items() if value is not None}
        kept = {name: value for name, value in self.environment.items() if name not in changes}
        return Shell({**kept, **changed})

    def run(self, *words: str, stdin: str = "") -> Done:
        """Runs a command to its end, in a pipe."""
        done = subprocess.run(
            [PROGRAM, *words],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def well(self, *words: str, stdin: str = "") -> Done:
        """The same for one that must end with 0."""
        done = self.run(*words, stdin=stdin)
        assert done.code == 0, f"{words}: {done}"
        return done

    def on_terminal(self, *words: str, columns: int = 80) -> Done:
        """Runs a command to its end on a terminal."""
        with self.starting(*words, columns=columns) as running:
            code = running.end()
            return Done(code, running.text.replace("\r\n", "\n"))

    @contextmanager
    def starting(self, *words: str, columns: int | None = None) -> Iterator[Running]:
        """A command under way: on a terminal of so many columns, or in a pipe; ended with the block."""
        if columns is None:
            reading, writing = os.pipe()
        else:
            reading, writing = pty.openpty()
            ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
        process = subprocess.Popen(
            [PROGRAM, *words],
            env={"TERM": "xterm-256color", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
        )
        os.close(writing)
        running = Running(process, reading)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            running.end()
            os.close(reading)
