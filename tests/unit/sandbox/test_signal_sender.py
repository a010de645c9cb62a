"""What the sender seals is opened by the receiving half of Signal, written here a second time."""

import hmac
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.accounts import PreKey, SignedPreKey
from sandbox.curve import KEY_TYPE, KeyPair
from sandbox.signal_sender import seal


class Receiver(NamedTuple):
    """A device's private keys."""

    identity: KeyPair
    signed: KeyPair
    one_time: KeyPair


def fields(data: bytes) -> dict[int, bytes | int]:
    """The fields of a flat protobuf."""
    found: dict[int, bytes | int] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 2:
            size = varint()
            found[tag >> 3] = data[at : at + size]
            at += size
        else:
            found[tag >> 3] = varint()
    return found


def derive(secret: bytes, info: bytes, length: int, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def key_in(value: bytes | int | None) -> bytes:
    assert isinstance(value, bytes)
    assert value[:1] == KEY_TYPE
    return value[1:]


def opened(receiver: Receiver, sender: bytes, sealed: bytes) -> bytes:
    """Opens a first message, as the receiver of a session does."""
    assert sealed[:1] == b"\x33"
    outer = fields(sealed[1:])
    base, message = key_in(outer[2]), outer[4]
    assert key_in(outer[3]) == sender
    assert isinstance(message, bytes)
    secret = b"\xff" * 32 + receiver.signed.agree(sender)
    secret += receiver.identity.agree(base) + receiver.signed.agree(base)
    if 1 in outer:
        secret += receiver.one_time.agree(base)
    root = derive(secret, b"WhisperText", 64)[:32]
    inner = fields(message[1:-8])
    chain = derive(receiver.signed.agree(key_in(inner[1])), b"WhisperRatchet", 64, root)[32:]
    keys = derive(hmac.digest(chain, b"\x01", "sha256"), b"WhisperMessageKeys", 80)
    associated = KEY_TYPE + sender + KEY_TYPE + receiver.identity.public
    assert hmac.digest(keys[32:64], associated + message[:-8], "sha256")[:8] == message[-8:]
    assert (inner[2], inner[3]) == (0, 0)
    ciphertext = inner[4]
    assert isinstance(ciphertext, bytes)
    decryptor = Cipher(AES(keys[:32]), CBC(keys[64:])).decryptor()
    plain = decryptor.update(ciphertext) + decryptor.finalize()
    plain = plain[: -plain[-1]]
    count = plain[-1]
    assert 1 <= count <= 16
    assert plain.endswith(bytes([count]) * count)
    return plain[:-count]


@pytest.mark.parametrize("with_one_time_key", [True, False])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
def test_the_receiver_opens_what_was_sealed(with_one_time_key: bool, size: int) -> None:
    sender = KeyPair.generate()
    receiver = Receiver(*(KeyPair.generate() for _ in range(3)))
    signed = SignedPreKey((0x010203).to_bytes(3, "big"), receiver.signed.public, b"")
    one_time = PreKey((700).to_bytes(3, "big"), receiver.one_time.public) if with_one_time_key else None
    plaintext = bytes(n % 251 for n in range(size))
    sealed = seal(sender, 16383, receiver.identity.public, signed, one_time, plaintext=plaintext)
    assert opened(receiver, sender.public, sealed) == plaintext
    outer = fields(sealed[1:])
    assert (outer[5], outer[6], outer.get(1)) == (16383, 0x010203, 700 if with_one_time_key else None)


def test_no_two_messages_are_alike() -> None:
    sender, receiver = KeyPair.generate(), KeyPair.generate()
    signed = SignedPreKey(b"\0\0\1", KeyPair.generate().public, b"")
    sealed = {seal(sender, 1, receiver.public, signed, None, plaintext=b"the same") for _ in range(20)}
    assert len(sealed) == 20
