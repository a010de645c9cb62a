import pytest
import xeddsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.certificates import noise_chain
from sandbox.curve import KeyPair, verify
from sandbox.noise import HandshakeError, Responder
from sandbox.wire_protos import CertChain, ClientPayload, HandshakeMessage
from tests.unit.sandbox.initiator import Initiator

ROOT = KeyPair.generate()
SERVER = KeyPair.generate()


def handshake() -> tuple[Initiator, Responder]:
    return Initiator(X25519PrivateKey.generate()), Responder(SERVER, noise_chain(ROOT, SERVER))


def test_both_ends_agree_on_everything() -> None:
    # Given a client that shares no code with the server
    client, server = handshake()
    # When they shake hands
    finish = client.finish(server.hello(client.hello()), ClientPayload(username=49170).SerializeToString())
    static, payload, transport = server.finish(finish)
    # Then each knows the other, and they understand each other both ways, message after message
    assert client.server_static == SERVER.public
    assert static == client.static.public_key().public_bytes_raw()
    assert payload.username == 49170
    channel = client.channel()
    for message in (b"one", b"", b"three" * 10_000):
        assert transport.decrypt(channel.seal(message)) == message
        assert channel.open(transport.encrypt(message)) == message


def test_the_chain_ends_in_the_root_and_names_the_servers_key() -> None:
    client, server = handshake()
    client.finish(server.hello(client.hello()), b"")
    chain = CertChain.FromString(client.certificate)
    intermediate = CertChain.NoiseCertificate.Details.FromString(chain.intermediate.details)
    leaf = CertChain.NoiseCertificate.Details.FromString(chain.leaf.details)
    assert verify(ROOT.public, chain.intermediate.details, chain.intermediate.signature)
    assert verify(intermediate.key, chain.leaf.details, chain.leaf.signature)
    assert (intermediate.issuerSerial, leaf.issuerSerial) == (0, intermediate.serial)
    assert leaf.key == SERVER.public


def test_a_changed_byte_in_the_finish_is_noticed() -> None:
    client, server = handshake()
    finish = bytearray(client.finish(server.hello(client.hello()), b""))
    finish[-1] ^= 1
    with pytest.raises(HandshakeError):
        server.finish(bytes(finish))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_garbage_instead_of_a_hello_is_refused(garbage: bytes) -> None:
    with pytest.raises(HandshakeError):
        Responder(SERVER, b"").hello(garbage)


def test_a_key_of_low_order_is_refused() -> None:
    hello = HandshakeMessage(clientHello=HandshakeMessage.ClientHello(ephemeral=bytes(32)))
    with pytest.raises(HandshakeError, match="not usable"):
        Responder(SERVER, b"").hello(hello.SerializeToString())


@given(st.binary(max_size=500))
@settings(deadline=None)
def test_signatures_verify_for_both_signs_of_the_key(message: bytes) -> None:
    key = KeyPair.generate()
    assert verify(key.public, message, key.sign(message))
    assert not verify(key.public, message + b"!", key.sign(message))


def test_a_signature_may_carry_the_sign_of_its_key() -> None:
    # Given a key whose Edwards form is negative, and a signer that keeps the sign in the highest bit
    seeds = (bytes([number]) * 32 for number in range(256))
    private = next(
        key for key in map(xeddsa.seed_to_priv, seeds) if xeddsa.priv_to_ed25519_pub(key)[31] & 0x80
    )
    signature = bytearray(xeddsa.ed25519_priv_sign(private, b"hello"))
    signature[63] |= 0x80
    # Then it verifies, and only with that bit
    public = xeddsa.priv_to_curve25519_pub(private)
    assert verify(public, b"hello", bytes(signature))
    signature[63] &= 0x7F
    assert not verify(public, b"hello", bytes(signature))


@pytest.mark.parametrize(("public", "signature"), [(31, 64), (32, 63), (32, 0)])
def test_keys_and_signatures_of_the_wrong_size_do_not_verify(public: int, signature: int) -> None:
    assert not verify(bytes(public), b"", bytes(signature))
