"""The file that keeps a linked device's keys, and the one look into it that this process may take.

The library brings a SQLite of its own and never closes a store. Two SQLites in one process do not see each
other's locks: the second to open a file believes itself alone, cuts the write-ahead log's index off under
the first, and the process ends with a bus error, or the store is corrupted. So a store is looked into
only before the library has ever opened it; after that its state is followed by what WhatsApp says.
"""

import contextlib
import sqlite3
import threading
import urllib.parse
from pathlib import Path

_Key = tuple[int, int]

_lock = threading.Lock()
_linked: dict[_Key, bool] = {}
"""By device and inode, because a folder may get another store: whether it holds a linked device. Stores
that the library may have opened stay here, and their files open, as long as the process runs."""


def store_name(device: Path) -> str:
    """The name under which the library opens a device store in the folder `device`.

    The library makes `file:<name>?_foreign_keys=on` of it; what is appended here gives SQLite's
    write-ahead log (half as many sends again per second) and swallows the library's own suffix.
    """
    path = urllib.parse.quote(str(device_file(device).absolute()))
    return f"{path}?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_foreign_keys=on&x="


def holds_device(device: Path) -> bool:
    """Whether a linked device is stored in the folder `device`; if so, the library may open it.

    Asked before each connect: without one the library would begin pairing, in this process, and keep
    everybody else from connecting meanwhile. Blocks for a look at the disk.
    """
    with _lock:
        key = _key(device)
        if key is None:
            return False
        if key not in _linked and _look(device):
            _linked[key] = True
        return _linked.get(key, False)


def note_unlinked(device: Path) -> None:
    """The library has deleted the device in the folder `device`, as it does when it is logged out."""
    with _lock:
        key = _key(device)
        if key is not None:
            _linked[key] = False


def device_file(device: Path) -> Path:
    """The store in the folder `device`."""
    return device / "device.db"


def _key(device: Path) -> _Key | None:
    try:
        found = device_file(device).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _look(device: Path) -> bool:
    path = urllib.parse.quote(str(device_file(device).absolute()))
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return store.execute("SELECT 1 FROM whatsmeow_device LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError:
        return False
