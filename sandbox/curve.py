"""Curve25519 keys as WhatsApp uses them: X25519 agreement and XEdDSA signatures under the same key."""

from typing import NamedTuple, Self

import xeddsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

__all__ = ["KEY_TYPE", "KeyPair", "verify"]

KEY_TYPE = b"\x05"
"""Type byte of a Curve25519 key, which precedes the key where Signal signs it."""

_SIGN_BIT = 0x80


class KeyPair(NamedTuple):
    """A Curve25519 key pair; both halves are 32 bytes."""

    private: bytes
    public: bytes

    @classmethod
    def generate(cls) -> Self:
        """Makes a new key pair."""
        return cls.from_private(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_private(cls, private: bytes) -> Self:
        """Completes a key pair from its private half (32 bytes)."""
        key = X25519PrivateKey.from_private_bytes(private)
        return cls(private, key.public_key().public_bytes_raw())

    def agree(self, public: bytes) -> bytes:
        """The X25519 shared secret with another party's public key.

        Raises:
            ValueError: The public key does not have 32 bytes or is of low order.
        """
        own = X25519PrivateKey.from_private_bytes(self.private)
        return own.exchange(X25519PublicKey.from_public_bytes(public))

    def sign(self, message: bytes) -> bytes:
        """An XEdDSA signature (64 bytes).

        The library's verifier derives the Edwards key with a cleared sign bit, so the private key is brought
        into that form first.
        """
        clamped = bytearray(self.private)
        clamped[0] &= 248
        clamped[31] = clamped[31] & 127 | 64
        return xeddsa.ed25519_priv_sign(xeddsa.priv_force_sign(bytes(clamped), False), message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an XEdDSA signature is right.

    Args:
        public: The signer's Curve25519 key (32 bytes).
        message: What was signed.
        signature: 64 bytes; Signal's implementations keep the sign of the Edwards key in the highest bit.
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    edwards = xeddsa.curve25519_pub_to_ed25519_pub(public, bool(signature[63] & _SIGN_BIT))
    plain = signature[:63] + bytes((signature[63] & ~_SIGN_BIT,))
    return xeddsa.ed25519_verify(plain, edwards, message)
