"""The data directory: that it can be written, that there is room, and who else can read its secrets."""

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from server.doctor.findings import Finding, broken, ok, warning
from server.doctor.subject import Subject

SCARCE: Final = 1 << 30
"""Bytes free below which a busy gateway may soon be in trouble."""
TOO_LITTLE: Final = 100 << 20
"""Bytes free below which a database may fail at any moment."""
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "afs", "ncpfs"}
)


async def check(subject: Subject) -> Sequence[Finding]:
    """What is wrong with the data directory."""
    return await asyncio.to_thread(lambda: list(_look(subject)))


def _look(subject: Subject) -> Iterator[Finding]:
    data_dir = subject.up.data_dir.absolute()
    existing = next((path for path in (data_dir, *data_dir.parents) if path.exists()), data_dir)
    if problem := _unwritable(existing):
        yield broken(
            str(data_dir),
            f"the data directory cannot be written ({problem})",
            "Give its owner the rights, or set WAGATE_DATA_DIR to another folder.",
        )
        return
    free = shutil.disk_usage(existing).free
    yield room(str(data_dir), free)
    if not subject.node.database_url and (kind := file_system(existing)) in NETWORK_FILE_SYSTEMS:
        yield broken(
            str(data_dir),
            f"the embedded database lies on a network file system ({kind}), on which SQLite loses data",
            "Set WAGATE_DATA_DIR to a local disk, or WAGATE_DATABASE_URL to a PostgreSQL database.",
        )
    for path in (data_dir / "up.key", *data_dir.glob("devices/*/")):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            what = "the api-key" if path.name == "up.key" else "a linked device's keys"
            yield warning(
                str(path), f"others on this machine can read {what} (mode {mode:o})", f"chmod go= {path}"
            )


def room(where: str, free: int) -> Finding:
    """What free space on a disk means.

    Args:
        where: the folder.
        free: bytes.
    """
    shown = f"{free / (1 << 20):,.0f} MiB free"
    if free < TOO_LITTLE:
        return broken(where, f"the disk is full: {shown}", "Make room; messages cannot be stored without.")
    if free < SCARCE:
        return warning(
            where, f"the disk is nearly full: {shown}", "Make room before messages cannot be stored."
        )
    return ok(where, f"can be written, {shown}")


def file_system(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that a path lies on, "" where the system does not tell.

    Args:
        path: an existing one.
        mounts: what Linux tells in /proc/mounts; None to ask it.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(errors="replace")
        except OSError:
            return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind


def _unwritable(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"{folder} is no folder"
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
    except OSError as error:
        return error.strerror or str(error)
    return None
