"""How long a client's offer to be linked by a code lasts, and what ends the wait for its answer."""

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sandbox.accounts import Account
from sandbox.code_pairing import CODE_SECONDS, CodePairing
from sandbox.curve import KeyPair
from sandbox.jid import JID
from sandbox.link_code import WrongCodeError
from sandbox.query import QueryError
from sandbox.stanza import Node
from tests.support.waiting import until

NOISE = bytes(range(32))


def offer(send: list[Node], wrapped: bytes = bytes(80)) -> CodePairing:
    content = [
        Node("link_code_pairing_wrapped_companion_ephemeral_pub", content=wrapped),
        Node("companion_server_auth_key_pub", content=NOISE),
        Node("companion_platform_id", content=b"1"),
        Node("companion_platform_display", content=b"Chrome (Linux)"),
    ]
    hello = Node("link_code_companion_reg", {"jid": JID("49170", "s.whatsapp.net")}, content)
    return CodePairing(send.append, NOISE, hello)


def test_a_code_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    pairing, now = offer([]), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + CODE_SECONDS - 5)
    assert not pairing.expired
    monkeypatch.setattr(time, "monotonic", lambda: now + CODE_SECONDS + 5)
    assert pairing.expired


async def test_a_client_that_leaves_ends_the_wait() -> None:
    sent: list[Node] = []
    pairing = offer(sent)
    account = Account("49170", "1", "", "account", KeyPair.generate(), KeyPair.generate(), 1)
    typing = asyncio.create_task(pairing.type(account, "ABCD1234"))
    await until(lambda: sent, "the phone, which computes in a thread, has answered the client")
    assert pairing.busy
    # What is no answer to the code's reference is refused, and waited for no less
    for ref, size in ((b"another", 156), (pairing.ref, 155)):
        with pytest.raises(QueryError, match="bad-request"):
            pairing.finish(finish(ref, size))
    pairing.end()
    with pytest.raises(TimeoutError, match="went away"):
        await typing
    assert not pairing.busy


async def test_a_code_with_which_no_key_fits_ends_the_wait() -> None:
    # All zeros come out as the client's key: a point with which nobody can agree on anything
    wrapped = bytes(48) + typed_over(bytes(32))
    pairing = offer([], wrapped)
    account = Account("49170", "1", "", "account", KeyPair.generate(), KeyPair.generate(), 1)
    with pytest.raises(WrongCodeError):
        await pairing.type(account, "ABCD1234")
    assert not pairing.busy


def typed_over(key: bytes) -> bytes:
    """A key as the code ABCD1234 encrypts it, with a salt and a counter of zeros."""
    stretched = PBKDF2HMAC(SHA256(), 32, bytes(32), 131072).derive(b"ABCD1234")
    return Cipher(AES(stretched), CTR(bytes(16))).encryptor().update(key)


def finish(ref: bytes, size: int) -> Node:
    bundle = Node("link_code_pairing_wrapped_key_bundle", content=bytes(size))
    return Node("link_code_companion_reg", {}, [Node("link_code_pairing_ref", content=ref), bundle])
