"""Which addresses the gateway posts to: those of the public internet.

Whoever may make a webhook chooses where the gateway connects to. From where it runs it may reach much that
its callers cannot: itself, its database, a cloud's metadata service, a whole private network.
"""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

# IANA, IPv4 Special-Purpose Address Registry, and the multicast and reserved blocks. It is listed here, and
# not asked of `ipaddress`, whose answer depends on the Python release.
_NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT); clouds keep services there
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a public address by which Azure's machines reach their host
        "169.254.0.0/16",  # link-local; metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, which are no more
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks of networks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
"""Global unicast. What IANA has not given out is nobody's, so that all else needs no list."""
_NOT_PUBLIC_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them: it hides an IPv4 address
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as seen from a network that has IPv6 alone (RFC 6052): the last 32 bits are the address."""

_PRIVATE_ZONES: Final = ("localhost", "local", "internal", "lan", "home.arpa")
"""Zones whose names mean something in a private network alone, or on the machine itself."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet.

    An IPv6 address that stands for an IPv4 address (mapped, NAT64, 6to4) is what that one is.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    meant = _embedded(address)
    if meant is not None:
        return is_public(meant)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def literal(host: str) -> Address | None:
    """The address that a host is, in any spelling that connecting would understand; None for a name.

    Args:
        host: without brackets.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are 127.0.0.1 to the system's resolver.
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeEncodeError):
        return None


def is_private_name(host: str) -> bool:
    """Whether a name can only lead into a private network, or to the machine itself.

    Others may still do so: what they resolve to has to be asked of `is_public` too.
    """
    name = host.lower().rstrip(".")
    return "." not in name or any(name == zone or name.endswith(f".{zone}") for zone in _PRIVATE_ZONES)
