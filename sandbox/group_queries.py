"""What devices ask about groups, and do to them (queries of the namespace ``w:g2``)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandbox import group_changes
from sandbox.accounts import Account
from sandbox.group_notices import tell_created, tell_of_group
from sandbox.group_stanzas import described_group, participant
from sandbox.groups import Group
from sandbox.jid import GROUP_SERVER
from sandbox.query import QueryError
from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["get", "set_"]

MAX_MEMBERS = 1024
MAX_SUBJECT = 100
"""Characters."""

_TEXTS = {
    400: "bad-request",
    401: "not-authorized",
    403: "forbidden",
    404: "item-not-found",
    405: "not-allowed",
    406: "not-acceptable",
    409: "conflict",
    410: "gone",
    419: "resource-limit",
    423: "locked",
    429: "rate-overlimit",
    500: "internal-server-error",
    503: "service-unavailable",
}
"""WhatsApp's words for the codes; the client knows an error by both."""


class _Query(NamedTuple):
    action: str
    answer: "Callable[[Session, Node], list[Node]]"


class _GroupQuery(NamedTuple):
    action: str
    answer: "Callable[[Session, Group, Node], list[Node]]"


def get(session: "Session", iq: Node) -> list[Node]:
    """Answers a question about groups."""
    return _answer(session, iq, _SERVER_GET, _GROUP_GET)


def set_(session: "Session", iq: Node) -> list[Node]:
    """Changes a group, or who is in it."""
    return _answer(session, iq, _SERVER_SET, _GROUP_SET)


def _answer(
    session: "Session",
    iq: Node,
    of_server: Mapping[str, _Query],
    of_group: Mapping[str, _GroupQuery],
) -> list[Node]:
    to = iq.jid("to")
    if to is None or to.server != GROUP_SERVER or not iq.children:
        raise _error(400)
    request = iq.children[0]
    if not to.user:
        query = of_server.get(request.tag)
        if query is None:
            raise QueryError(501, "feature-not-implemented")
        _refuse(session, query.action)
        return query.answer(session, request)
    group_query = of_group.get(request.tag)
    if group_query is None:
        raise QueryError(501, "feature-not-implemented")
    _refuse(session, group_query.action)
    group = session.network.groups.get(to)
    if group is None:
        raise _error(404)
    if session.device.account not in group.members:
        raise _error(403)
    return group_query.answer(session, group, request)


def _refuse(session: "Session", action: str) -> None:
    """Refuses where that was asked for."""
    faults = session.network.faults
    fault = faults.peek("group_refused", session.number)
    if fault is not None and fault.fields["action"] in {"any", action}:
        faults.take("group_refused", session.number)
        raise _error(fault.fields["code"])


def _error(code: int) -> QueryError:
    return QueryError(code, _TEXTS.get(code, "refused"))


def _create(session: "Session", request: Node) -> list[Node]:
    network, me = session.network, session.device.account
    subject = request.text("subject")
    if len(subject) > MAX_SUBJECT:
        raise _error(406)
    found, missing = _accounts(session, request)
    if len(found) >= MAX_MEMBERS:
        raise _error(419)
    group = network.groups.create(me, subject, found)
    if request.child("locked"):
        group.locked = True
    if request.child("announcement"):
        group.announce = True
    network.groups.save(group)
    tell_created(network, group)
    described = described_group(group)
    if isinstance(described.content, list):
        described.content += missing
    return [described]


def _leave(session: "Session", request: Node) -> list[Node]:
    me, left = session.device.account, []
    for asked in request.children:
        jid = asked.jid("id")
        group = session.network.groups.get(jid) if jid else None
        if jid is None or group is None or me not in group.members:
            left.append(Node("group", {"id": asked.text("id"), "error": "404"}))
            continue
        group_changes.leave(session.network, group, me)
        left.append(Node("group", {"id": jid}))
    return [Node("leave", content=left)]


def _invited(session: "Session", request: Node) -> Group:
    groups, code = session.network.groups, request.text("code")
    group = groups.by_invite(code)
    if group is None:
        raise _error(410 if groups.was_revoked(code) else 406)
    return group


def _preview(session: "Session", request: Node) -> list[Node]:
    return [described_group(_invited(session, request))]


def _join(session: "Session", request: Node) -> list[Node]:
    network, me = session.network, session.device.account
    group = _invited(session, request)
    if me not in group.members:
        if len(group.members) >= MAX_MEMBERS:
            raise _error(419)
        group_changes.add(network, group, me, [me], reason="invite")
        tell_of_group(network, group, me, [me], reason="invite")
    return [Node("group", {"jid": group.jid})]


def _participating(session: "Session", _request: Node) -> list[Node]:
    mine = session.network.groups.of(session.device.account)
    return [Node("groups", content=[described_group(group) for group in mine])]


def _query(_session: "Session", group: Group, _request: Node) -> list[Node]:
    return [described_group(group)]


def _invite(session: "Session", group: Group, _request: Node) -> list[Node]:
    if not group.is_admin(session.device.account):
        raise _error(401)
    return [Node("invite", {"code": group.invite})]


def _reset_invite(session: "Session", group: Group, request: Node) -> list[Node]:
    if group.is_admin(session.device.account):
        group_changes.reset_invite(session.network, group, session.device.account)
    return _invite(session, group, request)


def _add(session: "Session", group: Group, request: Node) -> list[Node]:
    network, me = session.network, session.device.account
    _admin(session, group)
    found, answers = _accounts(session, request)
    added = []
    for account in found:
        refusal = _no_addition(session, group, account)
        if refusal:
            answers.append(participant(group, account, error=str(refusal)))
        else:
            answers.append(participant(group, account))
            added.append(account)
    group_changes.add(network, group, me, added)
    tell_of_group(network, group, me, added)
    return [Node("add", content=answers)]


def _no_addition(session: "Session", group: Group, account: Account) -> int:
    """The code with which somebody cannot be added; 0 for none."""
    if account in group.members:
        return 409
    if len(group.members) >= MAX_MEMBERS:
        return 500
    fault = session.network.faults.take("add_refused", account.number)
    return fault.fields["code"] if fault else 0


def _manage(session: "Session", group: Group, request: Node) -> list[Node]:
    """Removes, promotes or demotes."""
    _admin(session, group)
    found, answers = _accounts(session, request)
    members = [account for account in found if account in group.members]
    outsiders = [account for account in found if account not in group.members]
    # Who made the group stays its admin.
    fixed = [account for account in members if group.members[account] == "superadmin"]
    changed = [account for account in members if account not in fixed]
    answers += [participant(group, account, error="404") for account in outsiders]
    answers += [participant(group, account, error="406") for account in fixed]
    answers += [participant(group, account) for account in changed]
    group_changes.manage(session.network, group, session.device.account, request.tag, changed)
    return [Node(request.tag, content=answers)]


def _subject(session: "Session", group: Group, request: Node) -> list[Node]:
    subject = request.data.decode(errors="replace")
    if len(subject) > MAX_SUBJECT:
        raise _error(406)
    _may_describe(session, group)
    group_changes.rename(session.network, group, session.device.account, subject)
    return []


def _description(session: "Session", group: Group, request: Node) -> list[Node]:
    _may_describe(session, group)
    if request.text("prev") != group.description_id:
        raise _error(409)
    body = request.child("body")
    text = body.data.decode(errors="replace") if body else ""
    group_changes.describe(session.network, group, session.device.account, request.text("id"), text)
    return []


def _switch(session: "Session", group: Group, request: Node) -> list[Node]:
    _admin(session, group)
    group_changes.switch(session.network, group, session.device.account, request.tag)
    return []


def _admin(session: "Session", group: Group) -> None:
    if not group.is_admin(session.device.account):
        raise _error(403)


def _may_describe(session: "Session", group: Group) -> None:
    if group.locked:
        _admin(session, group)


def _accounts(session: "Session", request: Node) -> tuple[list[Account], list[Node]]:
    """The accounts that are named, each once, and an answer for each name that is nobody's."""
    found: dict[Account, None] = {}
    missing = []
    for child in request.children:
        jid = child.jid("jid") if child.tag == "participant" else None
        if jid is None:
            continue
        account = session.network.accounts.find(jid)
        if account is None:
            missing.append(Node("participant", {"jid": jid, "error": "404"}))
        else:
            found[account] = None
    return list(found), missing


_SERVER_GET = {"invite": _Query("preview", _preview), "participating": _Query("list", _participating)}
_SERVER_SET = {
    "create": _Query("create", _create),
    "leave": _Query("leave", _leave),
    "invite": _Query("join", _join),
}
_GROUP_GET = {"query": _GroupQuery("info", _query), "invite": _GroupQuery("invite", _invite)}
_GROUP_SET = {
    "invite": _GroupQuery("invite", _reset_invite),
    "add": _GroupQuery("members", _add),
    **dict.fromkeys(("remove", "promote", "demote"), _GroupQuery("members", _manage)),
    "subject": _GroupQuery("settings", _subject),
    "description": _GroupQuery("settings", _description),
    **dict.fromkeys(
        ("locked", "unlocked", "announcement", "not_announcement"), _GroupQuery("settings", _switch)
    ),
}
