"""Lets the neonize library of this process trust a server other than WhatsApp's.

WhatsApp's servers prove themselves with a certificate chain that ends in one Curve25519 key, which the
library pins. The key is a variable of the loaded shared object: overwriting it in memory makes the library
accept a chain that ends in another key. Nothing on disk changes and no other process is touched.

Whoever calls this decides where the client connects to; it must never be an address outside of this machine.
"""

import ctypes
import importlib
from pathlib import Path
from typing import NamedTuple

__all__ = ["PINNED_ROOT", "WireHookError", "trust_root"]

PINNED_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
"""The root key that whatsmeow pins (``WACertPubKey`` in its handshake)."""


class WireHookError(RuntimeError):
    """The library's pinned root key could not be replaced."""


class _Mapping(NamedTuple):
    start: int
    end: int


def trust_root(public_key: bytes) -> None:
    """Replaces the root key that this process's neonize trusts.

    Call it before the first client connects: the handshake reads the key without a lock. Calling it again
    with the same key changes nothing; a second, different key is refused, because clients may already have
    connected under the first. Imports neonize, so libmagic must be loadable (see ``libmagic.py`` beside it).

    Args:
        public_key: The Curve25519 public key (32 bytes) that signs the server's certificate chain.

    Raises:
        ValueError: The key does not have 32 bytes.
        WireHookError: The key was not found exactly once in the library's writable memory.
    """
    if len(public_key) != len(PINNED_ROOT):
        raise ValueError(f"a root key has {len(PINNED_ROOT)} bytes, got {len(public_key)}")
    library = Path(str(importlib.import_module("neonize._binder").gocode._name)).resolve()  # noqa: SLF001 - ctypes offers a loaded library's path under no public name
    mappings = _writable_mappings(library)
    pinned = _find(mappings, PINNED_ROOT)
    if not pinned and len(_find(mappings, public_key)) == 1:
        return
    if len(pinned) != 1:
        raise WireHookError(
            f"expected WhatsApp's root key exactly once in the writable memory of {library.name},"
            f" found it {len(pinned)} times: it was already replaced by another key,"
            " or this version of neonize is not supported"
        )
    ctypes.memmove(pinned[0], public_key, len(public_key))


def _writable_mappings(library: Path) -> list[_Mapping]:
    mappings = []
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1].startswith("rw") and fields[5] == str(library):
            start, end = (int(address, 16) for address in fields[0].split("-"))
            mappings.append(_Mapping(start, end))
    return mappings


def _find(mappings: list[_Mapping], needle: bytes) -> list[int]:
    addresses = []
    for mapping in mappings:
        memory = ctypes.string_at(mapping.start, mapping.end - mapping.start)
        offset = memory.find(needle)
        while offset >= 0:
            addresses.append(mapping.start + offset)
            offset = memory.find(needle, offset + 1)
    return addresses
