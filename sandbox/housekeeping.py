"""Short answers to the queries of a client's normal life that the network has little to say to."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.device_lists import announce
from sandbox.query import Handler, QueryError
from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["HANDLERS"]

_PRIVACY = {
    "readreceipts": "all",
    "last": "all",
    "online": "all",
    "profile": "all",
    "status": "all",
    "groupadd": "all",
    "calladd": "all",
}


def _nothing(_session: "Session", _iq: Node) -> list[Node]:
    return []


def _passive(session: "Session", iq: Node) -> list[Node]:
    if iq.child("active"):
        # After the answer, so that the client knows first that it is connected.
        session.activate()
    return []


def _unlink(session: "Session", iq: Node) -> list[Node]:
    request = iq.child("remove-companion-device")
    if request is None:
        raise QueryError(501, "feature-not-implemented")
    if request.jid("jid") != session.device.pn:
        raise QueryError(403, "forbidden")
    session.network.accounts.remove_device(session.device)
    announce(session.network, session.device.account)
    asyncio.get_running_loop().call_soon(session.close)  # after the answer
    return []


def _properties(_session: "Session", _iq: Node) -> list[Node]:
    return [Node("props", {"protocol": "1", "hash": "", "refresh": "86400"})]


def _media_connection(_session: "Session", _iq: Node) -> list[Node]:
    host = Node("host", {"hostname": "mmg.whatsapp.net"})
    attrs = {"auth": "sandbox", "ttl": "300", "auth_ttl": "21600", "max_buckets": "12"}
    return [Node("media_conn", {**attrs}, [host])]


def _privacy(_session: "Session", _iq: Node) -> list[Node]:
    settings = [Node("category", {"name": name, "value": value}) for name, value in _PRIVACY.items()]
    return [Node("privacy", content=settings)]


def _blocklist(_session: "Session", _iq: Node) -> list[Node]:
    return [Node("list")]


def _no_picture(_session: "Session", _iq: Node) -> list[Node]:
    raise QueryError(404, "item-not-found")


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("w:p", "get"): _nothing,
    ("urn:xmpp:ping", "get"): _nothing,
    ("passive", "set"): _passive,
    ("md", "set"): _unlink,
    ("abt", "get"): _properties,
    ("w", "get"): _properties,
    ("w:m", "set"): _media_connection,
    ("privacy", "get"): _privacy,
    ("privacy", "set"): _nothing,
    ("blocklist", "get"): _blocklist,
    ("w:profile:picture", "get"): _no_picture,
    ("status", "set"): _nothing,
    ("urn:xmpp:whatsapp:dirty", "set"): _nothing,
    ("urn:xmpp:whatsapp:push", "set"): _nothing,
    ("w:stats", "set"): _nothing,
}
"""Handlers by namespace and type."""
