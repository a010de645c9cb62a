"""What the settings put in WhatsApp's place.

Outside of the room of the client library: whoever asks need not be able to load that.
"""

import ipaddress
import os
import urllib.parse
from dataclasses import dataclass
from typing import Final

from server.config import Settings
from server.errors import Code, WagateError

WHATSAPP: Final = ("web.whatsapp.com", 443)
"""Where WhatsApp itself is reached."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A server that the settings put in WhatsApp's place.

    Attributes:
        host, port: its proxy, on loopback.
        root_key: its Noise root key, 32 bytes.
    """

    host: str
    port: int
    root_key: bytes


def stand_in_of(settings: Settings) -> StandIn | None:
    """What the settings put in WhatsApp's place; None for WhatsApp itself.

    Raises:
        WagateError: VALIDATION_ERROR where the settings are incomplete or not on loopback.
    """
    if settings.wire_proxy is None and settings.wire_root_key is None:
        return None
    if settings.wire_proxy is None or settings.wire_root_key is None or not os.environ.get("SSL_CERT_FILE"):
        raise _wrong("WAGATE_WIRE_PROXY, WAGATE_WIRE_ROOT_KEY and SSL_CERT_FILE must be set together")
    host, port = _loopback(settings.wire_proxy)
    try:
        root_key = bytes.fromhex(settings.wire_root_key)
    except ValueError:
        root_key = b""
    if len(root_key) != 32:  # a Curve25519 public key
        raise _wrong("WAGATE_WIRE_ROOT_KEY must be 64 hex digits, the stand-in's Noise root key")
    return StandIn(host, port, root_key)


def _loopback(address: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "http" or host is None or port is None:
        raise _wrong(f"WAGATE_WIRE_PROXY must look like http://127.0.0.1:8090, not {address!r}")
    if host == "localhost":
        return "127.0.0.1", port
    try:
        on_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        on_loopback = False
    if not on_loopback:
        raise _wrong(
            f"WAGATE_WIRE_PROXY points at {host}, which is not on loopback. A stand-in for WhatsApp is "
            "trusted only on this machine; to use WhatsApp itself, unset the WAGATE_WIRE_ variables."
        )
    return host, port


def _wrong(message: str) -> WagateError:
    return WagateError(Code.VALIDATION_ERROR, message)
