"""What a webhook's URL must be like."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from server.events.webhooks.destination import Address, is_private_name, is_public, literal

URL_LENGTH: Final = 2000
"""Characters of a URL."""
NAME_LENGTH: Final = 253
"""Characters of a host's name (RFC 1035)."""

# What RFC 3986 lets stand in a URL, and nothing that two readers of it could understand differently.
_CHARACTERS: Final = re.compile(r"[!$-\[\]-~#]*")
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PRIVATE: Final = (
    "leads into a private network, where the gateway posts only when its operator has set "
    "WAGATE_WEBHOOK_ALLOW_PRIVATE=1"
)


def url_problem(url: str, *, allow_private: bool) -> str | None:
    """What is wrong with a URL that events shall be posted to; None where nothing is.

    A name that resolves to a private address is not found here: that is asked when something is posted.

    Args:
        url: as the caller gave it.
        allow_private: whether hosts of private networks are good as well.
    """
    if problem := _text_problem(url):
        return problem
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "not a URL: its host or its port cannot be read"
    wrong = {
        "must begin with https:// or http://": parts.scheme not in {"http", "https"},
        "must not hold a user or a password: give them as a header in customHeaders": "@" in parts.netloc,
        "must not hold a fragment (#...): no receiver would see it": "#" in url,
        "port 0 is none": port == 0,
    }
    problem = next((problem for problem, is_so in wrong.items() if is_so), None)
    return problem or _host_problem(parts.hostname or "", parts.netloc, allow_private=allow_private)


def _text_problem(url: str) -> str | None:
    if not url:
        return "required: where events shall be posted to"
    if len(url) > URL_LENGTH:
        return f"at most {URL_LENGTH} characters"
    if not _CHARACTERS.fullmatch(url):
        return "holds a character that no URL has: percent-encode the path, write the host in ASCII"
    return None


def _host_problem(host: str, netloc: str, *, allow_private: bool) -> str | None:
    address: Address | None
    if netloc.startswith("["):
        try:
            address = IPv6Address(host)
        except AddressValueError:
            return "the host in brackets is no IPv6 address"
        if address.scope_id is not None:
            return "the host must not name a network interface (%...)"
    else:
        address = literal(host)
    if address is None and not _is_name(host):
        return "its host is neither a name nor an address"
    is_private = is_private_name(host) if address is None else not is_public(address)
    return f"the host {host} {_PRIVATE}" if is_private and not allow_private else None


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    # A name that ends in a number would be taken for an address (WHATWG, URL, 3.5).
    return (
        len(host) <= NAME_LENGTH
        and not labels[-1].isdigit()
        and all(_LABEL.fullmatch(label) for label in labels)
    )
