"""Reads an archive, and trusts nothing in it before it has been compared with its manifest."""

import contextlib
import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from server.backup.manifest import LONGEST, NAME, Manifest, manifest_of
from server.errors import Code, WagateError

_CHUNK: Final = 1 << 20
_NAMES: Final = re.compile(r"wagate\.db|up\.key|devices/[0-9A-Z]{26}/device\.db")
"""All that an archive may hold beside its manifest: nothing of it can lead out of the data directory."""


@contextlib.contextmanager
def opened(file: Path) -> Iterator[tarfile.TarFile]:
    """Opens an archive for reading.

    Raises:
        WagateError: NOT_FOUND, or VALIDATION_ERROR where it is none or cut short.
    """
    try:
        with tarfile.open(file, "r:gz") as packed:
            yield packed
    except FileNotFoundError:
        raise WagateError(Code.NOT_FOUND, f"there is no file {file}") from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise WagateError(Code.VALIDATION_ERROR, f"{file} is no backup, or is damaged: {error}") from error


def manifest(packed: tarfile.TarFile) -> Manifest:
    """The archive's manifest, its first file."""
    first = packed.next()
    if first is None or first.name != NAME or not first.isfile() or first.size > LONGEST:
        raise WagateError(Code.VALIDATION_ERROR, f"{NAME} is not its first file: it is no backup")
    content = packed.extractfile(first)
    return manifest_of(b"" if content is None else content.read())


def check(packed: tarfile.TarFile, told: Manifest) -> None:
    """Reads every file and compares it with what the manifest tells. Blocks.

    Raises:
        WagateError: VALIDATION_ERROR for one that is missing, changed, or should not be there.
    """
    for _name, content in files(packed, told):
        while content.read(_CHUNK):
            pass


def files(packed: tarfile.TarFile, told: Manifest) -> Iterator[tuple[str, "Checked"]]:
    """The files behind the manifest; each must be read to its end, where it is found out if it is wrong.

    Raises:
        WagateError: VALIDATION_ERROR, as for `check`.
    """
    missing = set(told.files)
    while (member := packed.next()) is not None:
        if member.name not in missing or not member.isfile() or not _NAMES.fullmatch(member.name):
            raise _damaged(f"{member.name!r} should not be in it")
        missing.discard(member.name)
        content = packed.extractfile(member)
        if content is None:
            raise _damaged(f"{member.name!r} has no content")
        yield member.name, Checked(content, member.name, told.files[member.name].sha256)
    if missing:
        raise _damaged(f"{min(missing)!r} is missing")


class Checked:
    """A file of an archive, whose checksum is compared when it has been read."""

    def __init__(self, content: IO[bytes], name: str, sha256: str) -> None:
        """Reads `content`."""
        self._content = content
        self._name = name
        self._sha256 = sha256
        self._digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, b"" at the end.

        Raises:
            WagateError: VALIDATION_ERROR at the end of what is not what the manifest tells.
        """
        chunk = self._content.read(size)
        self._digest.update(chunk)
        if not chunk and self._digest.hexdigest() != self._sha256:
            raise _damaged(f"{self._name!r} is not what it was")
        return chunk


def _damaged(what: str) -> WagateError:
    return WagateError(Code.VALIDATION_ERROR, f"the backup is damaged: {what}. Use another one.")
