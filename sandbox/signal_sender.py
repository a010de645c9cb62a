"""The sending half of Signal: a phone writes to a linked device, and never reads.

Every message opens a session of its own with the device's published keys, so nothing has to be remembered
between two messages, and no answer has to be decrypted. Reading stays where it is proven: in real clients.
"""

import hmac
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from sandbox.accounts import PreKey, SignedPreKey
from sandbox.curve import KEY_TYPE, KeyPair

__all__ = ["seal"]

_VERSION: Final = b"\x33"
"""Signal protocol 3, in both halves of the byte: the version used, and the highest one understood."""
_MAC_BYTES: Final = 8
_MAX_PADDING: Final = 16
_BLOCK_BITS: Final = 128
_DISCONTINUITY: Final = b"\xff" * 32


def seal(
    sender: KeyPair,
    registration: int,
    receiver: bytes,
    signed_prekey: SignedPreKey,
    prekey: PreKey | None,
    *,
    plaintext: bytes,
) -> bytes:
    """Encrypts a message in a session of its own.

    Args:
        sender: The phone's identity.
        registration: The phone's Signal registration id.
        receiver: The device's identity key (32 bytes).
        signed_prekey: The device's signed prekey.
        prekey: A one-time key of the device that nobody else gets, or None where it has none left.
        plaintext: A serialized ``Message``; it is padded here as WhatsApp pads.

    Returns:
        A PreKeyWhisperMessage, the content of ``<enc type="pkmsg">``.
    """
    base, ratchet = KeyPair.generate(), KeyPair.generate()
    secret = [
        _DISCONTINUITY,
        sender.agree(signed_prekey.value),
        base.agree(receiver),
        base.agree(signed_prekey.value),
    ]
    if prekey is not None:
        secret.append(base.agree(prekey.value))
    root = _derive(b"".join(secret), b"WhisperText", 64)[:32]
    chain = _derive(ratchet.agree(signed_prekey.value), b"WhisperRatchet", 64, salt=root)[32:]
    keys = _derive(hmac.digest(chain, b"\x01", "sha256"), b"WhisperMessageKeys", 80)
    cipher_key, mac_key, iv = keys[:32], keys[32:64], keys[64:]
    message = _VERSION + b"".join(
        (
            _bytes(1, KEY_TYPE + ratchet.public),
            _number(2, 0),
            _number(3, 0),
            _bytes(4, _encrypt(cipher_key, iv, _padded(plaintext))),
        )
    )
    associated = KEY_TYPE + sender.public + KEY_TYPE + receiver
    mac = hmac.digest(mac_key, associated + message, "sha256")[:_MAC_BYTES]
    parts = [
        _number(5, registration),
        _number(6, int.from_bytes(signed_prekey.id, "big")),
        _bytes(2, KEY_TYPE + base.public),
        _bytes(3, KEY_TYPE + sender.public),
        _bytes(4, message + mac),
    ]
    if prekey is not None:
        parts.append(_number(1, int.from_bytes(prekey.id, "big")))
    return _VERSION + b"".join(parts)


def _derive(secret: bytes, info: bytes, length: int, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _padded(plaintext: bytes) -> bytes:
    # One to sixteen bytes, each of which says how many there are.
    count = secrets.randbelow(_MAX_PADDING) + 1
    return plaintext + bytes([count]) * count


def _encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


# The two protobufs are Signal's, which the client library does not bring along for Python.
def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
