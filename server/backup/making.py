"""Makes a backup: copies everything to one side, packs it, and reads back what was packed."""

import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Final

from server.backup import archive
from server.backup.manifest import NAME, Manifest, settings_to_keep
from server.backup.snapshot import copy, part_of
from server.clock import now_ms
from server.errors import Code, WagateError

DEVICE: Final = "device.db"
Moved = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is backed up.

    Attributes:
        database: the embedded database; None where that is PostgreSQL.
        schema: its schema; None for PostgreSQL.
        devices: the folder of the linked devices' keys.
        key: the file with the local api-key.
    """

    database: Path | None
    schema: str | None
    devices: Path
    key: Path

    def size(self) -> int:
        """About how many bytes there are to copy."""
        files = [*self.devices.glob(f"*/{DEVICE}"), *([self.database] if self.database else [])]
        return sum(file.stat().st_size for file in files)


def make(sources: Sources, target: Path, moved: Moved) -> Manifest:
    """Writes an archive, readable by its owner alone. Blocks.

    The devices come first, then the database, then devices that were linked meanwhile. So the database never
    knows less than the keys: a message whose key was used up is in it.

    Args:
        sources: what to put in.
        target: the archive; must not exist. There is nothing under this name before it is whole.
        moved: told how many bytes were copied since it was told last.

    Returns:
        What is in it.

    Raises:
        WagateError: something cannot be read, or the archive not be written; nothing is left behind.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".wagate-backup-") as folder:
            staged = Path(folder)
            manifest = _staged(sources, staged, moved)
            _pack(manifest, staged, part)
        with archive.opened(part) as packed:
            archive.check(packed, archive.manifest(packed))
        part.rename(target)
    except OSError as error:
        raise WagateError(
            Code.INTERNAL, f"the backup could not be written: {error.strerror or error} ({error.filename})"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _staged(sources: Sources, folder: Path, moved: Moved) -> Manifest:
    names = []
    for device in _devices(sources.devices, set()):
        names += _copied(device, folder, sources.devices, moved)
    if sources.database is not None:
        copy(sources.database, folder / "wagate.db", moved)
        names.append("wagate.db")
    for device in _devices(sources.devices, set(names)):
        names += _copied(device, folder, sources.devices, moved)
    if sources.key.exists():
        shutil.copy(sources.key, folder / "up.key")
        names.append("up.key")
    return Manifest(
        release=version("wagate"),
        created_at=now_ms(),
        database=sources.schema,
        settings=settings_to_keep(),
        files={name: part_of(folder / name) for name in sorted(names)},
    )


def _devices(devices: Path, known: set[str]) -> Iterator[Path]:
    for file in sorted(devices.glob(f"*/{DEVICE}")):
        if _name(file) not in known:
            yield file


def _copied(device: Path, folder: Path, devices: Path, moved: Moved) -> list[str]:
    """The name under which a device was copied; none where it has gone meanwhile."""
    target = folder / _name(device)
    target.parent.mkdir(parents=True)
    try:
        copy(device, target, moved)
    except WagateError:
        if (devices / device.parent.name / DEVICE).exists():
            raise
        shutil.rmtree(target.parent)
        return []
    return [_name(device)]


def _name(device: Path) -> str:
    return f"devices/{device.parent.name}/{DEVICE}"


def _pack(manifest: Manifest, folder: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        target.unlink()
    target.touch(mode=0o600)
    with tarfile.open(target, "w:gz", compresslevel=6) as packed:
        text = manifest.text().encode()
        about = tarfile.TarInfo(NAME)
        about.size, about.mode, about.mtime = len(text), 0o600, manifest.created_at // 1000
        packed.addfile(about, BytesIO(text))
        for name in manifest.files:
            packed.add(folder / name, name, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member
