"""Changes to groups: each is stored, and its members are told."""

import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.group_notices import tell_members, tell_membership
from sandbox.groups import Group
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["add", "describe", "leave", "manage", "rename", "reset_invite", "switch"]


def add(network: "Network", group: Group, by: Account, accounts: Sequence[Account], **attrs: Value) -> None:
    """Makes accounts members, and tells who was one before.

    Args:
        network: The network.
        group: The group.
        by: Who adds them; themselves where they join.
        accounts: Who is no member yet.
        attrs: What the members learn beside, such as ``reason``.
    """
    for account in accounts:
        network.groups.set_role(group, account, "member")
    if accounts:
        tell_membership(network, group, by, "add", accounts, **attrs)


def leave(network: "Network", group: Group, account: Account) -> None:
    """Ends a membership on the member's own wish; a group without an admin gets its oldest member as one."""
    network.groups.remove(group, account)
    tell_membership(network, group, account, "remove", [account])
    if group.members and not any(map(group.is_admin, group.members)):
        heir = next(iter(group.members))
        network.groups.set_role(group, heir, "admin")
        tell_membership(network, group, account, "promote", [heir])


def manage(network: "Network", group: Group, by: Account, change: str, members: Sequence[Account]) -> None:
    """Removes, promotes or demotes members.

    Args:
        network: The network.
        group: The group.
        by: Who does.
        change: ``remove``, ``promote`` or ``demote``.
        members: Whom.
    """
    for account in members:
        if change == "remove":
            network.groups.remove(group, account)
        else:
            network.groups.set_role(group, account, "admin" if change == "promote" else "member")
    if members:
        tell_membership(network, group, by, change, members)


def rename(network: "Network", group: Group, by: Account, subject: str) -> None:
    """Gives a group another subject."""
    group.subject, group.subject_by, group.subject_at = subject, by, int(time.time())
    network.groups.save(group)
    attrs: dict[str, Value] = {
        "subject": subject,
        "s_t": str(group.subject_at),
        "s_o": group.address(by),
    }
    tell_members(network, group, by, Node("subject", attrs))


def describe(network: "Network", group: Group, by: Account, description_id: str, text: str) -> None:
    """Gives a group another description; an empty one removes it."""
    group.description, group.description_id = text, description_id
    group.description_by, group.description_at = by, int(time.time())
    network.groups.save(group)
    content = Node("body", content=text.encode()) if text else Node("delete")
    tell_members(network, group, by, Node("description", {"id": description_id}, [content]))


def switch(network: "Network", group: Group, by: Account, setting: str) -> None:
    """Changes who may send, or who may change subject and description.

    Args:
        network: The network.
        group: The group.
        by: Who does.
        setting: ``announcement`` or ``locked``, or the opposite with ``not_`` or ``un`` before it.
    """
    if setting.endswith("announcement"):
        group.announce = setting == "announcement"
    else:
        group.locked = setting == "locked"
    network.groups.save(group)
    attrs: dict[str, Value] = {"v_id": secrets.token_hex(4)} if setting.endswith("announcement") else {}
    tell_members(network, group, by, Node(setting, attrs))


def reset_invite(network: "Network", group: Group, by: Account) -> None:
    """Gives a group a new invite code."""
    network.groups.reset_invite(group)
    tell_members(network, group, by, Node("invite", {"code": group.invite}))
