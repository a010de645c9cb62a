"""Carries messages, receipts and chat states within groups.

A message to a group is encrypted once with its sender's key (``skmsg``). That key travels with it, encrypted
for each device: the ``participants`` of the stanza. A device gets the message and its own copy of the key.
"""

import time
from collections.abc import Iterable

from sandbox.accounts import Account, Device
from sandbox.damage import damaged
from sandbox.device_lists import participant_hash
from sandbox.group_stanzas import author
from sandbox.groups import Group
from sandbox.jid import JID
from sandbox.mailbox import StanzaKey, sender_of
from sandbox.network import Network
from sandbox.session import Session
from sandbox.stanza import Node, Value

__all__ = ["GroupRouter"]

_NOT_A_MEMBER = "403"
_ADMINS_ONLY = "420"

# What the sender says to the network alone, and what is made anew for each device.
_NOT_FORWARDED = frozenset({"participants", "device-identity", "enc"})


class GroupRouter:
    """Routes stanzas to the members of groups.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def refusal(self, session: Session, group: Group) -> str:
        """The code with which a message to a group is refused; empty where its sender may write."""
        account = session.device.account
        if account not in group.members:
            return _NOT_A_MEMBER
        if group.announce and not group.is_admin(account):
            return _ADMINS_ONLY
        return ""

    def message(self, session: Session, node: Node, timestamp: str, group: Group) -> None:
        """Delivers a message to all devices of all members, or anew to the one that asked for it."""
        keys = node.child("participants")
        if keys is None:
            self._again(session, node, timestamp, group)
            return
        own_key = {part.jid("jid"): part.child("enc") for part in keys.children}
        encrypted = node.child("enc")
        envelope = _envelope(session.device, node, timestamp, group)
        for account in group.members:
            # Phones are devices like any other, but nobody reads there.
            self._network.stats.messages_delivered += 1
            for device in account.devices.values():
                if device is not session.device:
                    key = own_key.get(group.address(account, device.number))
                    self._deliver(envelope, node, device, [key, encrypted])

    def receipt(self, session: Session, node: Node, group: Group) -> None:
        """Forwards a receipt to who wrote the message that it is for."""
        written_by = node.jid("participant")
        writer = self._network.accounts.find(written_by) if written_by else None
        reader = session.device.account
        kind = node.text("type")
        if written_by is None or writer is None or reader not in group.members:
            return
        attrs: dict[str, Value] = {
            "from": group.jid,
            "id": node.text("id"),
            "t": str(int(time.time())),
            **author(group, reader, session.device.number),
        }
        if kind:
            attrs["type"] = kind
        forwarded = Node("receipt", attrs, list(node.children) or None)
        stanza = self._network.codec.encode(forwarded)
        key = StanzaKey("receipt", node.text("id"), kind, sender_of(forwarded, "from"))
        for device in _informed(writer, reader, written_by, kind):
            device.mailbox.put(key, stanza)

    def chatstate(self, session: Session, node: Node, group: Group) -> None:
        """Shows a chat state to the members that are online; nothing is kept."""
        account = session.device.account
        if account not in group.members:
            return
        shown = Node("chatstate", {"from": group.jid, **author(group, account)}, list(node.children))
        for device in group.devices():
            if device.session is not None and device.account is not account:
                device.session.send(shown)

    def outdated(self, node: Node, group: Group) -> dict[str, str]:
        """The hash of the members' devices as they are, when the sender's list of them is another one."""
        known = node.text("phash")
        current = participant_hash(group.all_addresses()) if known else ""
        return {} if known == current else {"phash": current}

    def _again(self, session: Session, node: Node, timestamp: str, group: Group) -> None:
        target, encrypted = node.jid("participant"), node.child("enc")
        account = self._network.accounts.find(target) if target else None
        if target is None or encrypted is None or account is None or account not in group.members:
            return
        device = account.devices.get(target.device)
        if device is not None:
            self._deliver(_envelope(session.device, node, timestamp, group), node, device, [encrypted])

    def _deliver(
        self, envelope: dict[str, Value], node: Node, device: Device, encrypted: Iterable[Node | None]
    ) -> None:
        content = damaged(
            self._network.faults, device.account.number, (part for part in encrypted if part is not None)
        )
        identity = node.child("device-identity")
        if identity is not None and any(part.text("type") == "pkmsg" for part in content):
            content.append(identity)
        content += [child for child in node.children if child.tag not in _NOT_FORWARDED]
        message = Node("message", envelope, content)
        key = StanzaKey("message", node.text("id"), "", sender_of(message, "from"))
        device.mailbox.put(key, self._network.codec.encode(message))


def _envelope(sender: Device, node: Node, timestamp: str, group: Group) -> dict[str, Value]:
    """What every device learns about a message."""
    attrs: dict[str, Value] = {
        "from": group.jid,
        "id": node.text("id"),
        "t": timestamp,
        "type": node.text("type") or "text",
        **author(group, sender.account, sender.number),
    }
    if sender.account.name:
        attrs["notify"] = sender.account.name
    if "edit" in node.attrs:
        attrs["edit"] = node.attrs["edit"]
    return attrs


def _informed(writer: Account, reader: Account, written_by: JID, kind: str) -> list[Device]:
    if kind == "retry":
        # Only the device that encrypted the message can encrypt it anew.
        device = writer.devices.get(written_by.device)
        return [] if device is None else [device]
    return [] if writer is reader else list(writer.devices.values())
