"""The token dictionary of the binary XML, read out of the installed neonize library.

The dictionary is compiled into the library, so reading it there keeps it from ever drifting from what the
clients use. The library is Go code that cannot be unloaded; a short-lived child process loads it, and the
result is kept in a file named after the library's version.
"""

import asyncio
import ctypes
import importlib.metadata
import importlib.util
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Dictionary", "DictionaryError", "library_path", "load", "read_loaded"]

_SINGLE_TOKENS = 236
_PAGES = 4
_PAGE_TOKENS = 256
_FIRST_TOKEN = b"xmlstreamstart"
_STRING_HEADER = struct.Struct("<QQ")  # a Go string: address, length
_SLICE_HEADER = struct.Struct("<QQQ")  # a Go slice: address, length, capacity


class DictionaryError(RuntimeError):
    """The dictionary was not found in the library."""


class Dictionary(NamedTuple):
    """The tokens of the binary XML.

    Attributes:
        single: Tokens of one byte; the index is the byte, index 0 is empty.
        double: Pages of tokens of two bytes: the page, then the index in it.
    """

    single: list[str]
    double: list[list[str]]


async def load(cache: Path) -> Dictionary:
    """Loads the dictionary from the cache, or from the library on first use.

    Args:
        cache: An existing folder for the file ``tokens-<version of neonize>.json``.

    Raises:
        DictionaryError: The library is missing or holds no dictionary that is known here.
    """
    file = cache / f"tokens-{importlib.metadata.version('neonize')}.json"
    if not file.exists():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox.tokens", str(file), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await child.communicate()
        if child.returncode:
            raise DictionaryError(f"reading the token dictionary failed: {errors.decode().strip()}")
    return Dictionary(**json.loads(file.read_text(encoding="utf-8")))


def library_path() -> Path:
    """The shared object of the installed neonize, found without importing it."""
    package = importlib.util.find_spec("neonize")
    folder = Path(package.origin).parent if package and package.origin else Path()
    found = sorted(folder.glob("neonize-*.so"))
    if len(found) != 1:
        raise DictionaryError(f"expected one shared object in the package neonize, found {len(found)}")
    return found[0]


def read_loaded(library: Path) -> Dictionary:
    """Reads the dictionary from the memory of this process.

    Args:
        library: The shared object, which this process has loaded.

    Raises:
        DictionaryError: The library's memory does not look as expected.
    """
    memory = _Memory(library)
    for text in memory.find(_FIRST_TOKEN):
        for header in memory.find(_STRING_HEADER.pack(text, len(_FIRST_TOKEN))):
            # The header before it is token 0, the empty string.
            first = header - _STRING_HEADER.size
            single = memory.strings(first, _SINGLE_TOKENS)
            pages_start = first + _SINGLE_TOKENS * _STRING_HEADER.size
            for table in memory.find(_SLICE_HEADER.pack(pages_start, _PAGE_TOKENS, _PAGE_TOKENS)):
                pages = [
                    _SLICE_HEADER.unpack(memory.read(table + page * _SLICE_HEADER.size, _SLICE_HEADER.size))
                    for page in range(_PAGES)
                ]
                if all(length == _PAGE_TOKENS for _, length, _ in pages) and single[0] == "":
                    return Dictionary(single, [memory.strings(start, length) for start, length, _ in pages])
    raise DictionaryError(f"{library.name} holds no token dictionary that is known here")


class _Memory:
    """The mappings of one shared object in this process."""

    def __init__(self, library: Path) -> None:
        self._blocks: list[tuple[int, bytes]] = []
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[1].startswith("r") and fields[5] == str(library.resolve()):
                start, end = (int(address, 16) for address in fields[0].split("-"))
                self._blocks.append((start, ctypes.string_at(start, end - start)))

    def find(self, needle: bytes) -> Iterator[int]:
        for start, block in self._blocks:
            offset = block.find(needle)
            while offset >= 0:
                yield start + offset
                offset = block.find(needle, offset + 1)

    def read(self, address: int, size: int) -> bytes:
        for start, block in self._blocks:
            offset = address - start
            if offset >= 0 and offset + size <= len(block):
                return block[offset : offset + size]
        raise DictionaryError(f"address {address:#x} is not part of the library")

    def strings(self, address: int, count: int) -> list[str]:
        headers = self.read(address, count * _STRING_HEADER.size)
        return [
            self.read(start, length).decode() if length else ""
            for start, length in _STRING_HEADER.iter_unpack(headers)
        ]


def _write(file: Path) -> None:
    library = library_path()
    ctypes.CDLL(str(library))
    dictionary = read_loaded(library)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(dictionary._asdict()), encoding="utf-8")
    partial.rename(file)


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
