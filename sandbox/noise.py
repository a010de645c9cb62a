"""The Noise protocol under WhatsApp's stanzas, server side: ``Noise_XX_25519_AESGCM_SHA256``."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError

from sandbox.curve import KeyPair
from sandbox.wire_protos import ClientPayload, HandshakeMessage

__all__ = ["PROLOGUE", "HandshakeError", "NoiseCipher", "Responder", "SymmetricState", "Transport"]

PROLOGUE = b"WA\x06\x03"
"""The client's first four bytes: protocol version 6, dictionary version 3."""

_PATTERN = b"Noise_XX_25519_AESGCM_SHA256".ljust(32, b"\0")
_KEY_SIZE = 32


class HandshakeError(ValueError):
    """The client's side of the handshake is wrong."""


class NoiseCipher:
    """AES-256-GCM with a counter as nonce, for one direction.

    Args:
        key: 32 bytes.
    """

    __slots__ = ("_aead", "_counter")

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._counter = 0

    def _nonce(self) -> bytes:
        nonce = self._counter.to_bytes(12, "big")
        self._counter += 1
        return nonce

    def encrypt(self, plaintext: bytes, associated: bytes | None = None) -> bytes:
        """Seals the next message; 16 bytes longer than the plaintext."""
        return self._aead.encrypt(self._nonce(), plaintext, associated)

    def decrypt(self, ciphertext: bytes, associated: bytes | None = None) -> bytes:
        """Opens the next message.

        Raises:
            HandshakeError: The message was not sealed under this key at this position.
        """
        try:
            return self._aead.decrypt(self._nonce(), ciphertext, associated)
        except (InvalidTag, ValueError) as error:
            raise HandshakeError("a frame does not decrypt") from error


class SymmetricState:
    """Noise's running hash, chaining key and cipher during the handshake; both ends keep the same one."""

    def __init__(self) -> None:
        self._hash = _PATTERN
        self._chaining_key = _PATTERN
        self._cipher = NoiseCipher(_PATTERN)
        self.mix_hash(PROLOGUE)

    def mix_hash(self, data: bytes) -> None:
        """Binds data to the handshake."""
        self._hash = hashlib.sha256(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        """Brings a shared secret into the keys; the message counter starts anew."""
        self._chaining_key, key = self._derive(secret)
        self._cipher = NoiseCipher(key)

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypts under what was mixed so far, and mixes the ciphertext."""
        ciphertext = self._cipher.encrypt(plaintext, self._hash)
        self.mix_hash(ciphertext)
        return ciphertext

    def open(self, ciphertext: bytes) -> bytes:
        """Decrypts under what was mixed so far, and mixes the ciphertext.

        Raises:
            HandshakeError: The ciphertext is wrong.
        """
        plaintext = self._cipher.decrypt(ciphertext, self._hash)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """The two keys after the handshake: client to server, server to client."""
        return self._derive(b"")

    def _derive(self, secret: bytes) -> tuple[bytes, bytes]:
        # HKDF-SHA256 with the chaining key as salt, no info, two outputs.
        extracted = hmac.digest(self._chaining_key, secret, "sha256")
        first = hmac.digest(extracted, b"\x01", "sha256")
        return first, hmac.digest(extracted, first + b"\x02", "sha256")


class Transport:
    """The two ciphers that protect stanzas once the handshake is done."""

    def __init__(self, receive_key: bytes, send_key: bytes) -> None:
        self._receive = NoiseCipher(receive_key)
        self._send = NoiseCipher(send_key)
        self.decrypt = self._receive.decrypt
        self.encrypt = self._send.encrypt


class Responder:
    """The server's side of one handshake: ``hello`` first, then ``finish``.

    Args:
        static: The server's static key.
        certificate: The serialized chain that vouches for it.
    """

    def __init__(self, static: KeyPair, certificate: bytes) -> None:
        self._static = static
        self._certificate = certificate
        self._ephemeral = KeyPair.generate()
        self._state = SymmetricState()

    def hello(self, client_hello: bytes) -> bytes:
        """Answers the client's first frame.

        Raises:
            HandshakeError: The frame is no client hello.
        """
        ephemeral = _parse(client_hello).clientHello.ephemeral
        state = self._state
        state.mix_hash(ephemeral)
        state.mix_hash(self._ephemeral.public)
        state.mix_key(_agree(self._ephemeral, ephemeral))
        static = state.seal(self._static.public)
        state.mix_key(_agree(self._static, ephemeral))
        return HandshakeMessage(
            serverHello=HandshakeMessage.ServerHello(
                ephemeral=self._ephemeral.public, static=static, payload=state.seal(self._certificate)
            )
        ).SerializeToString()

    def finish(self, client_finish: bytes) -> tuple[bytes, ClientPayload, Transport]:
        """Completes the handshake.

        Returns:
            The client's static public key (32 bytes), what it says about itself, and the keys from here on.

        Raises:
            HandshakeError: The frame is no client finish, or its contents do not decrypt.
        """
        message = _parse(client_finish).clientFinish
        state = self._state
        static = state.open(message.static)
        state.mix_key(_agree(self._ephemeral, static))
        try:
            payload = ClientPayload.FromString(state.open(message.payload))
        except DecodeError as error:
            raise HandshakeError("the client's payload is no protobuf") from error
        return static, payload, Transport(*state.split())


def _parse(frame: bytes) -> HandshakeMessage:
    try:
        return HandshakeMessage.FromString(frame)
    except DecodeError as error:
        raise HandshakeError("the frame is no handshake message") from error


def _agree(own: KeyPair, public: bytes) -> bytes:
    if len(public) != _KEY_SIZE:
        raise HandshakeError(f"a key in the handshake has {len(public)} bytes instead of {_KEY_SIZE}")
    try:
        return own.agree(public)
    except ValueError as error:
        raise HandshakeError("a key in the handshake is not usable") from error
