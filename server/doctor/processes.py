"""Other processes of this machine: who holds a port, and what a program prints."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that listens on a port.

    Attributes:
        pid: its id.
        command: its command line, for people; shortened.
        data_dir: the data directory that it works on, where it is part of a wagate.
    """

    pid: int
    command: str
    data_dir: Path | None

    def works_on(self, data_dir: Path) -> bool:
        """Whether it is part of the wagate of a data directory."""
        return self.data_dir is not None and os.path.realpath(self.data_dir) == os.path.realpath(data_dir)


def holder_of(port: int) -> Holder | None:
    """Who listens on a TCP port of this machine; None where nobody can be seen to. Blocks for a moment.

    Linux tells; other systems, and other users' processes, do not.
    """
    inodes = set(_listening(port))
    if not inodes:
        return None
    for process in _PROC.glob("[0-9]*"):
        try:
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:  # it has ended, or is another user's
            continue
        if any(link.startswith("socket:[") and link[8:-1] in inodes for link in links):
            return _seen(process)
    return None


async def output_of(*command: str, seconds: float = 12.0) -> tuple[int, str, str]:
    """Runs a program to its end.

    Returns:
        Its exit status, standard output and standard error.

    Raises:
        OSError: it cannot be run.
        TimeoutError: it did not end in time, and was killed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except BaseException:
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _listening(port: int) -> Iterator[str]:
    """The inodes of sockets that listen on a port."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _seen(process: Path) -> Holder | None:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        return Holder(int(process.name), " ".join(words)[:100], _data_dir(process, words))
    except OSError:
        return None


def _data_dir(process: Path, words: list[str]) -> Path | None:
    """The data directory of a process of ours."""
    line = " ".join(words)
    if Path(words[0]).name.startswith("envoy") and "-c" in words[:-1]:
        config = Path(words[words.index("-c") + 1])
        return config.parent.parent if config.parts[-2:] == ("run", "envoy.yaml") else None
    is_ours = "server.cli" in line or "-m sandbox" in line or any(Path(w).name == "wagate" for w in words[:2])
    if not is_ours:
        return None
    for entry in (process / "environ").read_bytes().split(b"\0"):
        name, _, value = entry.decode(errors="replace").partition("=")
        if name == "WAGATE_DATA_DIR":
            return (process / "cwd").resolve() / value
    return (process / "cwd").resolve() / "data"
