"""The phone's side of linking by code, against a client's side that is written here."""

import secrets
from typing import NamedTuple, Self

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sandbox.curve import KeyPair
from sandbox.link_code import KEY_BUNDLE_SIZE, WRAPPED_KEY_SIZE, TypedCode, WrongCodeError, normalized

CODE, OTHER = "ABCD1234", "ABCD1235"


def crypt(code: str, salt: bytes, counter: bytes, data: bytes) -> bytes:
    key = PBKDF2HMAC(SHA256(), 32, salt, 131072).derive(code.encode())
    return Cipher(AES(key), CTR(counter)).encryptor().update(data)


class Client(NamedTuple):
    """A client that shows a code."""

    identity: KeyPair
    ephemeral: KeyPair
    wrapped: bytes

    @classmethod
    def showing(cls, code: str) -> Self:
        identity, ephemeral = KeyPair.generate(), KeyPair.generate()
        salt, counter = secrets.token_bytes(32), secrets.token_bytes(16)
        return cls(identity, ephemeral, salt + counter + crypt(code, salt, counter, ephemeral.public))

    def answer(self, code: str, wrapped: bytes, phone: bytes) -> tuple[bytes, bytes]:
        """The client's bundle, and the secret that it will expect."""
        key = crypt(code, wrapped[:32], wrapped[32:48], wrapped[48:])
        shared = self.ephemeral.agree(key)
        random, salt, nonce = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(12)
        seal = HKDF(SHA256(), 32, salt, b"link_code_pairing_key_bundle_encryption_key").derive(shared)
        keys = self.identity.public + phone + random
        together = shared + self.identity.agree(phone) + random
        secret = HKDF(SHA256(), 32, None, b"adv_secret").derive(together)
        return salt + nonce + AESGCM(seal).encrypt(nonce, keys, None), secret


def test_the_right_code_makes_both_agree() -> None:
    client, account = Client.showing(CODE), KeyPair.generate()
    typed = TypedCode.enter(CODE, client.wrapped)
    assert len(client.wrapped) == len(typed.wrapped) == WRAPPED_KEY_SIZE
    bundle, secret = client.answer(CODE, typed.wrapped, account.public)
    assert len(bundle) == KEY_BUNDLE_SIZE
    assert typed.finish(account, bundle) == (client.identity.public, secret)


def test_a_wrong_code_shows_in_the_answer() -> None:
    client, account = Client.showing(CODE), KeyPair.generate()
    typed = TypedCode.enter(OTHER, client.wrapped)
    bundle, _ = client.answer(CODE, typed.wrapped, account.public)
    with pytest.raises(WrongCodeError, match="not the one that the client shows"):
        typed.finish(account, bundle)


def test_an_answer_that_was_meant_for_another_phone_is_refused() -> None:
    client, account = Client.showing(CODE), KeyPair.generate()
    typed = TypedCode.enter(CODE, client.wrapped)
    bundle, _ = client.answer(CODE, typed.wrapped, KeyPair.generate().public)
    with pytest.raises(WrongCodeError, match="another phone"):
        typed.finish(account, bundle)


@pytest.mark.parametrize("text", ["ABCD-1234", " abcd-1234\n", "ABCD1234", "a-b-c-d-1-2-3-4"])
def test_a_code_is_typed_in_many_ways(text: str) -> None:
    assert normalized(text) == CODE


@pytest.mark.parametrize(
    "text", ["", "ABCD-123", "ABCD-12345", "ABCD-123O", "ABCD-1230", "ABCD-123U", "ÄBCD-123"]
)
def test_what_is_no_code_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="8 letters and digits"):
        normalized(text)
