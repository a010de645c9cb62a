"""The client's side of the Noise handshake, written on its own from the Noise specification.

It shares no code with the sandbox, so that an error there cannot cancel itself out.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.wire_protos import HandshakeMessage

HEADER = b"WA\x06\x03"
PROTOCOL = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"


def _expand(salt: bytes, secret: bytes) -> tuple[bytes, bytes]:
    keys = HKDF(SHA256(), 64, salt, b"").derive(secret)
    return keys[:32], keys[32:]


@dataclass
class Initiator:
    static: X25519PrivateKey
    ephemeral: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    digest: bytes = PROTOCOL
    salt: bytes = PROTOCOL
    key: bytes = PROTOCOL
    count: int = 0
    server_static: bytes = b""
    certificate: bytes = b""

    def hello(self) -> bytes:
        self._hash(HEADER)
        public = self.ephemeral.public_key().public_bytes_raw()
        self._hash(public)
        hello = HandshakeMessage.ClientHello(ephemeral=public)
        return HandshakeMessage(clientHello=hello).SerializeToString()

    def finish(self, server_hello: bytes, payload: bytes) -> bytes:
        hello = HandshakeMessage.FromString(server_hello).serverHello
        self._hash(hello.ephemeral)
        server_ephemeral = X25519PublicKey.from_public_bytes(hello.ephemeral)
        self._mix(self.ephemeral.exchange(server_ephemeral))
        self.server_static = self._open(hello.static)
        self._mix(self.ephemeral.exchange(X25519PublicKey.from_public_bytes(self.server_static)))
        self.certificate = self._open(hello.payload)
        static = self._seal(self.static.public_key().public_bytes_raw())
        self._mix(self.static.exchange(server_ephemeral))
        finish = HandshakeMessage.ClientFinish(static=static, payload=self._seal(payload))
        return HandshakeMessage(clientFinish=finish).SerializeToString()

    def channel(self) -> "Channel":
        return Channel(*_expand(self.salt, b""))

    def _hash(self, data: bytes) -> None:
        self.digest = hashlib.sha256(self.digest + data).digest()

    def _mix(self, secret: bytes) -> None:
        self.salt, self.key = _expand(self.salt, secret)
        self.count = 0

    def _seal(self, plaintext: bytes) -> bytes:
        sealed = AESGCM(self.key).encrypt(_nonce(self.count), plaintext, self.digest)
        self.count += 1
        self._hash(sealed)
        return sealed

    def _open(self, sealed: bytes) -> bytes:
        plaintext = AESGCM(self.key).decrypt(_nonce(self.count), sealed, self.digest)
        self.count += 1
        self._hash(sealed)
        return plaintext


@dataclass
class Channel:
    send_key: bytes
    receive_key: bytes
    sent: int = 0
    received: int = 0

    def seal(self, plaintext: bytes) -> bytes:
        sealed = AESGCM(self.send_key).encrypt(_nonce(self.sent), plaintext, None)
        self.sent += 1
        return sealed

    def open(self, sealed: bytes) -> bytes:
        plaintext = AESGCM(self.receive_key).decrypt(_nonce(self.received), sealed, None)
        self.received += 1
        return plaintext


def _nonce(count: int) -> bytes:
    return bytes(8) + count.to_bytes(4, "big")
