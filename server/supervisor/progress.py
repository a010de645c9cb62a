"""What a person at the terminal sees of the processes."""

import threading
from typing import TextIO


class Progress:
    """One line per process and event, on a terminal or in a file."""

    def __init__(self, out: TextIO) -> None:
        """Writes to `out`; on a terminal "starting" is overwritten by what came of it."""
        self._out = out
        self._terminal = out.isatty()
        self._unfinished = False
        self._lock = threading.Lock()

    def starting(self, name: str) -> None:
        """A process is being started."""
        if self._terminal:
            self._write(f"{name:8} starting ...", unfinished=True)

    def serves(self, name: str, address: str, seconds: float) -> None:
        """A process serves.

        Args:
            name: its name.
            address: where.
            seconds: how long it took.
        """
        self._write(f"{name:8} ready in {seconds:.1f} s   {address}")

    def note(self, name: str, text: str) -> None:
        """Something else that an operator should know of a process."""
        self._write(f"{name:8} {text}")

    def _write(self, line: str, *, unfinished: bool = False) -> None:
        with self._lock:
            begin = "\r\x1b[K" if self._unfinished else ""
            self._out.write(f"{begin}wagate: {line}{'' if unfinished else chr(10)}")
            self._out.flush()
            self._unfinished = unfinished
