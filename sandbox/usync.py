"""Who is on the network: devices, LIDs and the existence of accounts (usync queries)."""

import re
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.jid import JID, pn_jid
from sandbox.query import QueryError
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["get"]

_NOT_DIGITS = re.compile(r"[^0-9]")


def get(session: "Session", iq: Node) -> list[Node]:
    """Answers a usync query: for each user asked for, each of the things asked about."""
    request = iq.child("usync")
    query = request.child("query") if request else None
    users = request.child("list") if request else None
    if request is None or query is None or users is None:
        raise QueryError(400, "bad-request")
    hide_lids = session.network.faults.take("no_lid", session.number) is not None
    answers = [_user(session, user, query, hide_lids=hide_lids) for user in users.children]
    attrs: dict[str, Value] = {
        name: request.attrs[name]
        for name in ("sid", "index", "last", "mode", "context")
        if name in request.attrs
    }
    aspects = [Node(aspect.tag) for aspect in query.children]
    return [Node("usync", attrs, [Node("result", content=aspects), Node("list", content=answers)])]


def _user(session: "Session", user: Node, query: Node, *, hide_lids: bool) -> Node:
    contact = user.child("contact")
    if contact is not None:
        return _contact(session, contact.data, query, hide_lids=hide_lids)
    jid = user.jid("jid")
    account = _present(session, session.network.accounts.find(jid) if jid else None)
    content = [
        node
        for aspect in query.children
        if (node := _aspect(aspect, account, hide_lids=hide_lids)) is not None
    ]
    return Node("user", {"jid": jid} if jid else {}, content or None)


def _contact(session: "Session", asked: bytes, query: Node, *, hide_lids: bool) -> Node:
    number = _NOT_DIGITS.sub("", asked.decode(errors="replace").partition("@")[0])
    account = _present(session, session.network.accounts.get(number))
    aspect = query.child("contact")
    by_lid = aspect is not None and aspect.text("addressing_mode") == "lid"
    jid: JID = account.lid_jid if account and by_lid and not hide_lids else pn_jid(number)
    answer = Node("contact", {"type": "in" if account else "out"}, asked)
    return Node("user", {"jid": jid, "pn_jid": pn_jid(number)}, [answer])


def _present(session: "Session", account: Account | None) -> Account | None:
    """The account, unless a fault lets it be as if it were not on WhatsApp."""
    if account is None or session.network.faults.take("absent", account.number) is not None:
        return None
    return account


def _aspect(aspect: Node, account: Account | None, *, hide_lids: bool) -> Node | None:
    if aspect.tag == "devices":
        if account is None:
            return Node("devices", content=[QueryError(404, "item-not-found").node()])
        devices = [Node("device", {"id": str(number)}) for number in account.device_numbers()]
        return Node("devices", content=[Node("device-list", content=devices)])
    if aspect.tag == "lid" and account is not None and not hide_lids:
        return Node("lid", {"val": account.lid_jid})
    return None
