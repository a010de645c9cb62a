"""A copy of an SQLite database as it is at one moment, also while another process writes to it."""

import contextlib
import hashlib
import sqlite3
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from server.backup.manifest import Part
from server.errors import Code, WagateError

_PAGES: Final = 1024
"""Pages between two signs of progress."""
_BUSY_SECONDS: Final = 10.0
_CHUNK: Final = 1 << 20


def copy(source: Path, target: Path, moved: Callable[[int], None] = lambda _bytes: None) -> None:
    """Copies a database with SQLite's online backup, and looks whether the copy is whole. Blocks.

    One transaction is held all the time: the copy shows one moment, and does not begin anew each time that
    somebody writes. In WAL mode, which all of the gateway's databases use, nobody waits for it.

    Another process may have the file open, whichever SQLite it uses; this process itself must not
    (docs/decisions/0007).

    Args:
        source: an existing database.
        target: a file that does not exist.
        moved: told how many bytes were copied since it was told last.

    Raises:
        WagateError: INTERNAL where it cannot be read, written, or is damaged.
    """
    path = urllib.parse.quote(str(source.absolute()))
    done = 0

    def progress(_status: int, remaining: int, total: int) -> None:
        nonlocal done
        now = (total - remaining) * page_size
        moved(now - done)
        done = now

    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as from_here,
            contextlib.closing(sqlite3.connect(target, isolation_level=None)) as to_there,
        ):
            page_size: int = from_here.execute("PRAGMA page_size").fetchone()[0]
            from_here.execute("BEGIN")
            from_here.execute("SELECT count(*) FROM sqlite_master").fetchone()  # which begins to read
            from_here.backup(to_there, pages=_PAGES, progress=progress, sleep=0.01)
            from_here.execute("ROLLBACK")
            to_there.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            problem: str = to_there.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise WagateError(Code.INTERNAL, f"{source} cannot be copied: {error}") from error
    if problem != "ok":
        raise WagateError(
            Code.INTERNAL,
            f"{source} is damaged: {problem}. Keep what you have, and restore an earlier backup.",
        )


def part_of(file: Path) -> Part:
    """How long a file is, and its checksum. Blocks."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return Part(file.stat().st_size, digest.hexdigest())
