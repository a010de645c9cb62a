"""Puts a backup into an empty data directory."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from server.backup import archive
from server.backup.manifest import Manifest
from server.errors import Code, WagateError
from server.store import schema
from server.store.database import open_database

DATABASE: Final = "wagate.db"
"""The embedded database's name in an archive."""


async def check_schema(database: Path) -> None:
    """Refuses a database of a later release.

    Raises:
        WagateError: UNAVAILABLE.
    """
    opened = open_database(f"sqlite:///{database}")
    try:
        found = await schema.standing(opened)
    finally:
        await opened.close()
    if not found.is_known:
        raise WagateError(
            Code.UNAVAILABLE,
            f"the backup's database has schema {found.current}, which this release does not know: restore it "
            "with the release that made it",
        )


def refuse_overwriting(data_dir: Path, database: Path | None) -> None:
    """Refuses a data directory that has a database, or devices.

    Args:
        data_dir: where the backup shall go.
        database: the embedded database's place; None on PostgreSQL.

    Raises:
        WagateError: CONFLICT.
    """
    devices = data_dir / "devices"
    known = (*((database,) if database else ()), *(devices.iterdir() if devices.is_dir() else ()))
    for path in known:
        if path.exists():
            raise WagateError(
                Code.CONFLICT,
                f"{data_dir} is in use: {path} is there. Nothing is overwritten: move that folder away, or "
                "set WAGATE_DATA_DIR to an empty one.",
            )


def unpack(file: Path, data_dir: Path) -> tuple[Manifest, Path]:
    """Unpacks an archive beside its place, so that nothing half done is ever in it. Blocks.

    Returns:
        What is in it, and the folder that it was unpacked to, within `data_dir`.

    Raises:
        WagateError: the archive is none, or damaged: nothing is left behind.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=data_dir, prefix=".wagate-restore-"))
    try:
        with archive.opened(file) as packed:
            told = archive.manifest(packed)
            for name, content in archive.files(packed, told):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                target.touch(mode=0o600)
                with target.open("wb") as written:
                    shutil.copyfileobj(content, written)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return told, folder


def put_in_place(folder: Path, data_dir: Path, database: Path | None) -> None:
    """Moves what was unpacked to where it belongs; the database last: without it nothing begins.

    Args:
        folder: from `unpack`.
        data_dir: where it goes.
        database: the embedded database's place; None on PostgreSQL.
    """
    if (folder / "devices").exists():
        (data_dir / "devices").mkdir(exist_ok=True)
        for device in (folder / "devices").iterdir():
            device.rename(data_dir / "devices" / device.name)
    if (folder / "up.key").exists():
        (folder / "up.key").rename(data_dir / "up.key")
    if database is not None:
        shutil.move(folder / DATABASE, database)
