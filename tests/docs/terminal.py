"""A terminal in which a page's commands are typed one block after the other: one bash for the whole page."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.stack import eventually

PATIENCE: Final = 90.0
"""Seconds that one block may take."""
FAREWELL: Final = 3.0
"""Seconds that it may take to end after Ctrl+C before it is killed: the client library takes no notice."""

# A command that fails ends the terminal, and with it the test. curl says nothing by its exit code of what
# HTTP refused, unless it is told to; with -f, which some commands give, it may not be told twice.
_BEGINNING: Final = """
set -euo pipefail
curl() {
  for word in "$@"; do
    if [[ $word =~ ^-[a-zA-Z]*f || $word == --fail* ]]; then command curl "$@"; return; fi
  done
  command curl --fail-with-body "$@"
}
"""


@dataclass(frozen=True)
class Result:
    """What became of a block.

    Attributes:
        ended: the command ended by itself and well.
        output: what it printed.
        errors: what it said beside that.
    """

    ended: bool
    output: str
    errors: str


class Terminal:
    """A bash that keeps its variables from block to block."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Opens it.

        Args:
            folder: where it stands, and where what is typed is kept.
            environment: all of its variables.
        """
        self._folder = folder
        self._notes = folder / ".terminal"
        self._notes.mkdir()
        self._count = 0
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        self._type(_BEGINNING)

    def run(self, code: str, program: str = "source") -> Result:
        """Runs a block to its end.

        Args:
            code: the block.
            program: what runs it: `source` for the terminal itself, else a command that takes its file.
        """
        return self._typed(code, f"{program} {{}}; echo 0")

    def fail(self, code: str) -> Result:
        """Runs a block that is meant to fail, and goes on.

        Args:
            code: the block.
        """
        return self._typed(code, "set +e; ( set -e; source {} ); echo $?; set -e")

    def interrupt(self, code: str, program: str, sign: str) -> Result:
        """Runs a block that does not end, and interrupts it as Ctrl+C does.

        Args:
            code: the block.
            program: as for `run`.
            sign: what it has printed when it is interrupted.
        """
        script, output, errors = self._files(code)
        # With job control a background job has a process group of its own, and may be interrupted.
        self._type(f"set -m\n( {program} {script} ) >{output} 2>{errors} </dev/null &\nset +m\necho $!\n")
        assert self._bash.stdout is not None
        group = int(self._bash.stdout.readline())
        try:
            eventually(lambda: sign in output.read_text(), f"{code!r} prints {sign!r}", PATIENCE)
        finally:
            os.killpg(group, signal.SIGINT)
        watchdog = threading.Timer(FAREWELL, os.killpg, (group, signal.SIGKILL))
        watchdog.start()
        try:
            self._type(f"wait {group} || true\necho over\n")
            over = self._bash.stdout.readline()
        finally:
            watchdog.cancel()
        return Result(over == "over\n", output.read_text(), errors.read_text())

    def close(self) -> None:
        """Ends it, with whatever still runs in it."""
        self._kill()
        for stream in (self._bash.stdin, self._bash.stdout):
            if stream is not None:
                stream.close()

    def _typed(self, code: str, command: str) -> Result:
        script, output, errors = self._files(code)
        first, _, then = command.partition("; echo")
        self._type(f"{first.format(script)} >{output} 2>{errors} </dev/null; echo{then}\n")
        assert self._bash.stdout is not None
        watchdog = threading.Timer(PATIENCE, self._kill)
        watchdog.start()
        try:
            ended = self._bash.stdout.readline() == "0\n"
        finally:
            watchdog.cancel()
        return Result(ended, output.read_text(), errors.read_text())

    def _kill(self) -> None:
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.wait()

    def _files(self, code: str) -> tuple[Path, Path, Path]:
        self._count += 1
        script, output, errors = (self._notes / f"{self._count}.{kind}" for kind in ("typed", "out", "err"))
        script.write_text(code)
        output.touch()
        errors.touch()
        return script, output, errors

    def _type(self, text: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(text)
        self._bash.stdin.flush()
