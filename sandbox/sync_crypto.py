"""The cryptography of app state: what protects an account's settings on their way between its devices.

A collection is a list of patches, a patch is a list of mutations, and a mutation sets or removes the value of
one index. Index and value are encrypted and authenticated one by one; a sum over the MACs of all values that
are set, the LT-hash, lets every device check that it has the same collection as the one that wrote a patch.
"""

import hmac
import json
import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
from google.protobuf.message import DecodeError

from sandbox.wire_protos import (
    KeyId,
    SyncActionData,
    SyncActionValue,
    SyncdIndex,
    SyncdMutation,
    SyncdPatch,
    SyncdRecord,
    SyncdValue,
)

__all__ = ["EMPTY_HASH", "Mutation", "SyncError", "SyncKey", "added", "removed", "value_mac"]

_MAC_BYTES = 32
_IV_BYTES = 16
_BLOCK_BITS = 128
_HASH_BYTES = 128
_LANES = struct.Struct("<64H")

EMPTY_HASH = bytes(_HASH_BYTES)
"""The LT-hash of a collection in which nothing is set."""


class SyncError(ValueError):
    """A patch that a device must not believe."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutation that was decrypted and whose MACs are right.

    Attributes:
        index: What it is about, such as ``("archive", "49170@s.whatsapp.net")``.
        value: The new value; of no interest where it is removed.
        removed: Whether the index is removed.
        index_mac: What stands for the index in the open.
        value_mac: What stands for the value in the LT-hash.
    """

    index: tuple[str, ...]
    value: SyncActionValue
    removed: bool
    index_mac: bytes
    value_mac: bytes


class SyncKey:
    """An app-state sync key, and all that is derived from it.

    Args:
        key_id: Its id.
        data: The key itself (32 bytes).
    """

    def __init__(self, key_id: bytes, data: bytes) -> None:
        self.id = key_id
        self.data = data
        keys = HKDF(SHA256(), 160, None, b"WhatsApp Mutation Keys").derive(data)
        self._index, self._cipher, self._value, self._snapshot, self._patch = (
            keys[start : start + 32] for start in range(0, 160, 32)
        )

    @classmethod
    def generate(cls) -> Self:
        """Makes a new key."""
        return cls(secrets.token_bytes(6), secrets.token_bytes(32))

    def seal(
        self, index: Sequence[str], version: int, value: SyncActionValue, *, removes: bool = False
    ) -> SyncdMutation:
        """Encrypts a mutation.

        Args:
            index: What it is about.
            version: The version of this kind of action.
            value: The value that is set, or the one that was, where it is removed.
            removes: Whether it removes the value.
        """
        operation = SyncdMutation.REMOVE if removes else SyncdMutation.SET
        name = json.dumps(list(index), separators=(",", ":"), ensure_ascii=False).encode()
        plain = SyncActionData(index=name, value=value, padding=b"", version=version).SerializeToString()
        content = self._encrypt(plain)
        mac = self._content_mac(operation, content)
        return SyncdMutation(
            operation=operation,
            record=SyncdRecord(
                index=SyncdIndex(blob=hmac.digest(self._index, name, "sha256")),
                value=SyncdValue(blob=content + mac),
                keyID=KeyId(ID=self.id),
            ),
        )

    def open(self, mutation: SyncdMutation) -> Mutation:
        """Decrypts a mutation.

        Raises:
            SyncError: Another key was used, a MAC is wrong, or the content is no mutation.
        """
        record = mutation.record
        if self.id != record.keyID.ID:
            raise SyncError("a mutation is encrypted with a key that the phone did not share")
        content, mac = record.value.blob[:-_MAC_BYTES], value_mac(mutation)
        if not hmac.compare_digest(self._content_mac(mutation.operation, content), mac):
            raise SyncError("a mutation's content MAC is wrong")
        try:
            data = SyncActionData.FromString(self._decrypt(content))
            index = json.loads(data.index)
        except (DecodeError, ValueError) as error:
            raise SyncError("a mutation's content is no action") from error
        if not hmac.compare_digest(hmac.digest(self._index, data.index, "sha256"), record.index.blob):
            raise SyncError("a mutation's index MAC is wrong")
        if not isinstance(index, list) or not index or not all(isinstance(part, str) for part in index):
            raise SyncError("a mutation's index is no list of texts")
        removed = mutation.operation == SyncdMutation.REMOVE
        return Mutation(tuple(index), data.value, removed, record.index.blob, mac)

    def snapshot_mac(self, collection: str, version: int, state: bytes) -> bytes:
        """Authenticates a whole collection by its LT-hash."""
        return hmac.digest(self._snapshot, state + _big_endian(version) + collection.encode(), "sha256")

    def patch_mac(self, collection: str, version: int, patch: SyncdPatch) -> bytes:
        """Authenticates a patch, whose snapshot MAC is set already."""
        macs = b"".join(value_mac(mutation) for mutation in patch.mutations)
        message = patch.snapshotMAC + macs + _big_endian(version) + collection.encode()
        return hmac.digest(self._patch, message, "sha256")

    def _content_mac(self, operation: int, content: bytes) -> bytes:
        message = bytes([operation + 1]) + self.id + content + _big_endian(len(self.id) + 1)
        return hmac.digest(self._value, message, "sha512")[:_MAC_BYTES]

    def _encrypt(self, plain: bytes) -> bytes:
        iv = secrets.token_bytes(_IV_BYTES)
        padder = PKCS7(_BLOCK_BITS).padder()
        encryptor = Cipher(AES(self._cipher), CBC(iv)).encryptor()
        return iv + encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()

    def _decrypt(self, content: bytes) -> bytes:
        iv, sealed = content[:_IV_BYTES], content[_IV_BYTES:]
        decryptor = Cipher(AES(self._cipher), CBC(iv)).decryptor()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


def value_mac(mutation: SyncdMutation) -> bytes:
    """The MAC that ends a mutation's value."""
    return mutation.record.value.blob[-_MAC_BYTES:]


def added(state: bytes, macs: Iterable[bytes]) -> bytes:
    """The LT-hash (128 bytes) after values were set, given by their MACs."""
    return _summed(state, macs, 1)


def removed(state: bytes, macs: Iterable[bytes]) -> bytes:
    """The LT-hash (128 bytes) after values were removed or replaced, given by their MACs."""
    return _summed(state, macs, -1)


def _summed(state: bytes, macs: Iterable[bytes], sign: int) -> bytes:
    lanes = list(_LANES.unpack(state))
    for mac in macs:
        summand = HKDF(SHA256(), _HASH_BYTES, None, b"WhatsApp Patch Integrity").derive(mac)
        lanes = [(a + sign * b) & 0xFFFF for a, b in zip(lanes, _LANES.unpack(summand), strict=True)]
    return _LANES.pack(*lanes)


def _big_endian(number: int) -> bytes:
    return number.to_bytes(8, "big")
