"""Where WhatsApp is: the real one, or whatever stands in for it on loopback.

`WAGATE_WIRE_PROXY` and `WAGATE_WIRE_ROOT_KEY`, with `SSL_CERT_FILE` naming the stand-in's CA, point
the process at any server that speaks WhatsApp's wire protocol. Without them none of this code runs
and the process can only talk to WhatsApp.
"""

import ipaddress
import logging
import os
import urllib.parse
from dataclasses import dataclass
from typing import Final

from server.config import Settings
from server.errors import Code, WagateError

log = logging.getLogger(__name__)

WHATSAPP: Final = ("web.whatsapp.com", 443)
_RED: Final = "\033[1;31m"
_PLAIN: Final = "\033[0m"


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to WhatsApp.

    Attributes:
        proxy: an HTTP proxy's address, None for the direct way.
        host, port: what a connection attempt reaches first.
    """

    proxy: str | None
    host: str
    port: int


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


def wire_of(settings: Settings) -> Wire:
    """Prepares this process for the settings' wire; must run before the first client is made.

    Raises:
        WagateError: VALIDATION_ERROR where the settings are incomplete or not on loopback.
    """
    found = stand_in_of(settings)
    if found is None:
        return Wire(None, *WHATSAPP)

    from sandbox.wire_hook import trust_root  # noqa: PLC0415 - only a process that asks for it has it

    trust_root(found.root_key)
    log.warning(
        "%sNOT WHATSAPP: this node talks to the stand-in at %s:%d. No message leaves this machine.%s",
        _RED,
        found.host,
        found.port,
        _PLAIN,
    )
    bracketed = f"[{found.host}]" if ":" in found.host else found.host
    return Wire(f"http://{bracketed}:{found.port}", found.host, found.port)


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
