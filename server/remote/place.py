"""Where a gateway is: what people write as its URL, and what gRPC connects to."""

import ipaddress
import urllib.parse
from dataclasses import dataclass
from typing import Final

from server.errors import WagateError, invalid

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway's address.

    Attributes:
        host: a name or an IP address, without brackets.
        port: 1 to 65535.
        is_tls: whether it speaks TLS.
    """

    host: str
    port: int
    is_tls: bool = False

    @property
    def target(self) -> str:
        """What gRPC connects to: `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The same for people."""
        return f"{'https' if self.is_tls else 'http'}://{self.target}"

    @property
    def is_this_machine(self) -> bool:
        """Whether nothing leaves this machine on the way there."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def place_of(text: str) -> Place:
    """Reads an address: `https://gateway.example`, `http://127.0.0.1:8080`, or `host:port` alone.

    Raises:
        WagateError: VALIDATION_ERROR.
    """
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(text) from None
    if parts.scheme not in _PORTS or not host or parts.path not in {"", "/"} or parts.query or parts.username:
        raise _wrong(text)
    return Place(host, port or _PORTS[parts.scheme], parts.scheme == "https")


def _wrong(text: str) -> WagateError:
    return invalid(
        "url", f"{text!r} is no gateway's address: write http://127.0.0.1:8080 or https://gateway.example"
    )
