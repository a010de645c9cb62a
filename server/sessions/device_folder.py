"""The folder that holds a linked device's keys."""

import asyncio
import shutil
from pathlib import Path


async def empty(folder: Path) -> None:
    """Makes the folder, without leftovers of a pairing that was never finished."""
    await asyncio.to_thread(_empty, folder)


async def remove(folder: Path) -> None:
    """Forgets the device. What is not there is fine."""
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
