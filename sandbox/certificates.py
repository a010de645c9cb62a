"""Why a client trusts this network: a throwaway TLS authority, and the chain in the Noise handshake."""

import ssl
import time
from pathlib import Path

import trustme

from sandbox.curve import KeyPair
from sandbox.wire_protos import CertChain

__all__ = ["HOSTS", "TlsAuthority", "noise_chain"]

HOSTS = ("web.whatsapp.com", "*.whatsapp.net", "mmg.whatsapp.net")
"""The names that clients ask for."""

_VALIDITY_SECONDS = 365 * 24 * 3600
_CLOCK_SLACK_SECONDS = 24 * 3600
_INTERMEDIATE_SERIAL = 1
_LEAF_SERIAL = 2


class TlsAuthority:
    """A certificate authority for tests; its private key leaves only by ``export``.

    Args:
        exported: What ``export`` gave before, or nothing for a new authority.
    """

    def __init__(self, exported: tuple[bytes, bytes] | None = None) -> None:
        self._authority = trustme.CA.from_pem(*exported) if exported else trustme.CA()

    def export(self) -> tuple[bytes, bytes]:
        """The certificate and the private key, both PEM."""
        return self._authority.cert_pem.bytes(), self._authority.private_key_pem.bytes()

    def publish(self, file: Path) -> None:
        """Writes the certificate (PEM), for clients to trust."""
        partial = file.with_suffix(".partial")
        partial.write_bytes(self._authority.cert_pem.bytes())
        partial.rename(file)

    def server_context(self) -> ssl.SSLContext:
        """A context that serves the names of ``HOSTS``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*HOSTS).configure_cert(context)
        return context


def noise_chain(root: KeyPair, static: KeyPair) -> bytes:
    """Vouches for a server's static key.

    Args:
        root: The key that clients were told to trust.
        static: The server's static key.

    Returns:
        The serialized chain, valid for a year: root signs intermediate, intermediate signs leaf.
    """
    intermediate = KeyPair.generate()
    return CertChain(
        # Serial 0 stands for the root itself.
        intermediate=_certificate(root, 0, _INTERMEDIATE_SERIAL, intermediate.public),
        leaf=_certificate(intermediate, _INTERMEDIATE_SERIAL, _LEAF_SERIAL, static.public),
    ).SerializeToString()


def _certificate(issuer: KeyPair, issuer_serial: int, serial: int, key: bytes) -> CertChain.NoiseCertificate:
    now = int(time.time())
    details = CertChain.NoiseCertificate.Details(
        serial=serial,
        issuerSerial=issuer_serial,
        key=key,
        notBefore=now - _CLOCK_SLACK_SECONDS,
        notAfter=now + _VALIDITY_SECONDS,
    ).SerializeToString()
    return CertChain.NoiseCertificate(details=details, signature=issuer.sign(details))
