"""A process's log file, kept within bounds while the process writes to it."""

import os
import shutil
from pathlib import Path

LIMIT = 16 << 20
"""Bytes after which a log is moved aside: with the one before it, a process keeps at most twice that."""
_TAIL = 4096


class Log:
    """`<folder>/<name>.log`, and `<name>.log.1` for what came before."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begins a new file; an earlier run's is moved aside."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.log"
        if self.path.exists():
            self.path.replace(self._earlier)

    @property
    def _earlier(self) -> Path:
        return self.path.with_suffix(".log.1")

    def open(self) -> int:
        """A descriptor for a process to write to; the caller closes it.

        It appends, so that the process goes on at the new end after `bound` has cut the file.
        """
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def bound(self) -> None:
        """Moves the content aside where it has become too long. Blocks for the time of a copy.

        The file itself stays, because a process has it open; what it writes between the copy and the
        cut is lost.
        """
        if self.path.exists() and self.path.stat().st_size > LIMIT:
            shutil.copyfile(self.path, self._earlier)
            os.truncate(self.path, 0)

    def last_line(self) -> str:
        """What the process said last, "" where it said nothing."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
