"""How members learn that their group has changed: notifications of the type ``w:gp2``.

Clients remember who is in a group and encrypt for them; they rely on hearing of every change, their own too.
"""

import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.group_stanzas import author, described_group, participant
from sandbox.groups import Group
from sandbox.mailbox import StanzaKey, sender_of
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["tell_created", "tell_members", "tell_membership", "tell_of_group"]

_TYPE = "w:gp2"


def tell_members(network: "Network", group: Group, by: Account, change: Node) -> None:
    """Tells all members of a change.

    Args:
        network: The network.
        group: The group, after the change.
        by: Who made it.
        change: What it is.
    """
    _tell(network, group, by, change, group.members)


def tell_membership(
    network: "Network", group: Group, by: Account, change: str, whom: Iterable[Account], **attrs: Value
) -> None:
    """Tells members, and who was one until now, that somebody was added, removed, promoted or demoted.

    Args:
        network: The network.
        group: The group, after the change.
        by: Who made it.
        change: ``add``, ``remove``, ``promote`` or ``demote``.
        whom: Whom it is about.
        attrs: Further attributes of the change.
    """
    about = list(whom)
    told = [account for account in group.members if change != "add" or account not in about]
    if change == "remove":
        told += [account for account in about if account not in group.members]
    node = Node(change, dict(attrs), [participant(group, account) for account in about])
    _tell(network, group, by, node, told)


def tell_created(network: "Network", group: Group) -> None:
    """Tells all members of a new group."""
    tell_of_group(network, group, group.creator, group.members, type="new")


def tell_of_group(
    network: "Network", group: Group, by: Account, to: Iterable[Account], **attrs: Value
) -> None:
    """Tells accounts everything about a group that they have become members of."""
    _tell(network, group, by, Node("create", dict(attrs), [described_group(group)]), to)


def _tell(network: "Network", group: Group, by: Account, change: Node, to: Iterable[Account]) -> None:
    stanza_id = secrets.token_hex(8).upper()
    attrs: dict[str, Value] = {
        "from": group.jid,
        "type": _TYPE,
        "id": stanza_id,
        "t": str(int(time.time())),
        **author(group, by),
    }
    if by.name:
        attrs["notify"] = by.name
    node = Node("notification", attrs, [change])
    stanza = network.codec.encode(node)
    key = StanzaKey("notification", stanza_id, _TYPE, sender_of(node, "from"))
    for account in to:
        for device in account.devices.values():
            device.mailbox.put(key, stanza)
