"""Linking by a code that the client shows and the user types on the phone: what the phone computes.

Both sides make an ephemeral key and send each other its public half, encrypted under the code. Who typed the
right code has the same shared secret as the client; with it the client's next message can be opened, and the
secret computed under which the link is confirmed.
"""

import re
import secrets
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sandbox.curve import KeyPair

__all__ = ["KEY_BUNDLE_SIZE", "WRAPPED_KEY_SIZE", "LinkSecret", "TypedCode", "WrongCodeError", "normalized"]

WRAPPED_KEY_SIZE: Final = 80
"""Bytes of an encrypted public key: salt 32, counter 16, key 32."""
KEY_BUNDLE_SIZE: Final = 156
"""Bytes of the client's key bundle: salt 32, nonce 12, three sealed keys and their tag 112."""

_ROUNDS: Final = 2 << 16
_CODE: Final = re.compile(r"[1-9A-HJ-NP-TV-Z]{8}")  # no 0, I, O, U: they are mistaken for others


class WrongCodeError(ValueError):
    """The code that was typed is not the one that the client shows."""


def normalized(text: str) -> str:
    """Reads a code as it is typed, with or without its dash, in capitals or not.

    Raises:
        ValueError: The text is no such code.
    """
    code = text.strip().replace("-", "").upper()
    if not _CODE.fullmatch(code):
        raise ValueError("a pairing code has 8 letters and digits, such as ABCD-1234")
    return code


class LinkSecret(NamedTuple):
    """What client and phone agreed on.

    Attributes:
        identity: The client's Signal identity key.
        secret: The secret under which the phone authenticates its answer.
    """

    identity: bytes
    secret: bytes


class TypedCode(NamedTuple):
    """The phone's side after the code was typed.

    Attributes:
        wrapped: The phone's ephemeral public key, encrypted under the code, for the client.
        shared: The secret that both sides share if the code was right.
    """

    wrapped: bytes
    shared: bytes

    @classmethod
    def enter(cls, code: str, wrapped: bytes) -> Self:
        """Types a code. Takes a tenth of a second of computing: not for the event loop.

        Args:
            code: The code, normalized.
            wrapped: The client's ephemeral public key, encrypted under the code that it shows.

        Raises:
            WrongCodeError: The code is wrong; usually that shows only in ``finish``.
        """
        ephemeral = KeyPair.generate()
        salt, counter = secrets.token_bytes(32), secrets.token_bytes(16)
        try:
            shared = ephemeral.agree(_under_code(code, wrapped[:32], wrapped[32:48], wrapped[48:]))
        except ValueError as error:
            raise WrongCodeError("the code is wrong") from error
        return cls(salt + counter + _under_code(code, salt, counter, ephemeral.public), shared)

    def finish(self, account: KeyPair, bundle: bytes) -> LinkSecret:
        """Opens the client's answer.

        Args:
            account: The phone's identity.
            bundle: The client's sealed key bundle.

        Raises:
            WrongCodeError: The code was wrong, or somebody came between phone and client.
        """
        salt, nonce, sealed = bundle[:32], bundle[32:44], bundle[44:]
        key = HKDF(SHA256(), 32, salt, b"link_code_pairing_key_bundle_encryption_key").derive(self.shared)
        try:
            keys = AESGCM(key).decrypt(nonce, sealed, None)
            identity, phone, random = keys[:32], keys[32:64], keys[64:]
            together = self.shared + account.agree(identity) + random
        except (InvalidTag, ValueError) as error:
            raise WrongCodeError("the code is wrong: it is not the one that the client shows") from error
        if phone != account.public:
            raise WrongCodeError("the client talks to another phone")
        return LinkSecret(identity, HKDF(SHA256(), 32, None, b"adv_secret").derive(together))


def _under_code(code: str, salt: bytes, counter: bytes, key: bytes) -> bytes:
    """Encrypts or decrypts a public key; in counter mode both are the same."""
    stretched = PBKDF2HMAC(SHA256(), 32, salt, _ROUNDS).derive(code.encode())
    return Cipher(AES(stretched), CTR(counter)).encryptor().update(key)
