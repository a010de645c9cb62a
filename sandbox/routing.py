"""Carries messages, receipts and chat states from one device to others."""

import asyncio
import logging
import time
from collections import OrderedDict
from functools import partial

from sandbox.accounts import Account, Device
from sandbox.companions import answer_peer_message
from sandbox.damage import damaged
from sandbox.device_lists import participant_hash
from sandbox.group_routing import GroupRouter
from sandbox.groups import Group
from sandbox.jid import JID, LID_SERVER
from sandbox.mailbox import StanzaKey, sender_of
from sandbox.network import Network
from sandbox.presences import Presences
from sandbox.session import Session
from sandbox.stanza import Node, Value

__all__ = ["Router"]

_log = logging.getLogger(__name__)

_UNKNOWN_RECIPIENT = "404"
_REMEMBERED_MESSAGES = 10_000

# What the sender says to the network alone, and what is made anew for each device.
_NOT_FORWARDED = frozenset({"participants", "device-identity", "tctoken", "cstoken", "enc"})


class Router:
    """Routes stanzas between devices.

    Args:
        network: The network.

    Attributes:
        presences: Who is available.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._groups = GroupRouter(network)
        self.presences = Presences(network)
        # Time of acceptance by sender and id. A client that loses the connection before the acknowledgement
        # sends the very same stanza again; it must not arrive twice.
        self._accepted: OrderedDict[tuple[JID, str], str] = OrderedDict()

    def message(self, session: Session, node: Node) -> None:
        """Takes over a message: delivers it, and acknowledges it once it is stored."""
        network, faults = self._network, self._network.faults
        refused = faults.take("ack_error", session.number)
        if refused:
            self._acknowledge(session, node, error=str(refused.fields["code"]))
            return
        cut = faults.take("cut", session.number)
        if cut and not cut.fields["delivered"]:
            session.cut()
            return
        to = node.jid("to")
        recipient = self._find(to)
        if to is None or recipient is None:
            self._acknowledge(session, node, error=_UNKNOWN_RECIPIENT)
            return
        refusal = self._groups.refusal(session, recipient) if isinstance(recipient, Group) else ""
        if refusal:
            self._acknowledge(session, node, error=refusal)
            return
        timestamp = self._accept(session, node, to, recipient)
        if cut:
            network.state.when_stored(session.cut)
        elif not faults.take("ack_drop", session.number):
            delay = faults.take("ack_delay", session.number)
            self._acknowledge(
                session,
                node,
                after=delay.fields["delay"] if delay else 0,
                t=timestamp,
                **self._outdated(session, node, recipient),
            )

    def receipt(self, session: Session, node: Node) -> None:
        """Takes over a receipt: it settles the message it is for, and goes on to the message's sender."""
        to = node.jid("to")
        if to is None:
            return
        kind = node.text("type")
        session.settle(StanzaKey("message", node.text("id"), "", sender_of(node, "to")))
        recipient = self._find(to)
        if isinstance(recipient, Group):
            self._groups.receipt(session, node, recipient)
        elif recipient is not None and recipient is not session.device.account:
            self._forward_receipt(session, node, to, recipient)
        ack: dict[str, Value] = {"class": "receipt", "id": node.text("id"), "from": to}
        if kind:
            ack["type"] = kind
        self._send_when_stored(session, Node("ack", ack))

    def chatstate(self, session: Session, node: Node) -> None:
        """Shows a chat state, such as composing, to the devices that are online; nothing is kept."""
        to = node.jid("to")
        recipient = self._find(to)
        if to is None or recipient is None:
            return
        if isinstance(recipient, Group):
            self._groups.chatstate(session, node, recipient)
            return
        shown = Node("chatstate", {"from": _sender(session.device, to).account}, list(node.children))
        for device in recipient.devices.values():
            if device.session is not None:
                device.session.send(shown)

    def _find(self, jid: JID | None) -> Account | Group | None:
        if jid is None:
            return None
        return self._network.accounts.find(jid) or self._network.groups.get(jid)

    def _accept(self, session: Session, node: Node, to: JID, recipient: Account | Group) -> str:
        key = session.device.lid, node.text("id")
        fan_out = node.child("participants")
        known = self._accepted.get(key) if fan_out else None
        if known is not None:
            return known
        # Who encrypts a message anew for a device that asked for it says when it was sent first.
        timestamp = (fan_out is None and node.text("t")) or str(int(time.time()))
        self._network.stats.messages_accepted += 1
        if fan_out is not None:
            self._accepted[key] = timestamp
            if len(self._accepted) > _REMEMBERED_MESSAGES:
                self._accepted.popitem(last=False)
        if isinstance(recipient, Group):
            self._groups.message(session, node, timestamp, recipient)
            return timestamp
        if fan_out is None:
            # A single device is meant: an answer to its retry receipt, or a message among own devices.
            self._deliver(session, node, timestamp, to, node.child("enc"))
            return timestamp
        for part in fan_out.children:
            target = part.jid("jid")
            if target is not None and self._network.accounts.find(target) in {
                recipient,
                session.device.account,
            }:
                self._deliver(session, node, timestamp, target, part.child("enc"))
        return timestamp

    def _deliver(self, session: Session, node: Node, timestamp: str, target: JID, enc: Node | None) -> None:
        account = self._network.accounts.find(target)
        if account is None or enc is None:
            return
        if target.device == 0:
            # A phone is a device like any other, but nobody reads it here.
            self._network.stats.messages_delivered += 1
            if account is session.device.account and node.text("category") == "peer":
                answer_peer_message(self._network, session.device)
            return
        device = account.devices.get(target.device)
        if device is None:
            return
        sender = _sender(session.device, target)
        attrs: dict[str, Value] = {"from": sender, "id": node.text("id"), "t": timestamp}
        attrs["type"] = node.text("type") or "text"
        for name in ("edit", "category"):
            if name in node.attrs:
                attrs[name] = node.attrs[name]
        if account is session.device.account:
            attrs.update(self._own_copy(node))
        else:
            attrs.update(_introduction(session.device.account, sender))
        content = damaged(self._network.faults, account.number, [enc])
        content += [child for child in node.children if child.tag not in _NOT_FORWARDED]
        if enc.text("type") == "pkmsg":
            identity = node.child("device-identity")
            if identity is not None:
                content.append(identity)
        stanza = self._network.codec.encode(Node("message", attrs, content))
        device.mailbox.put(StanzaKey("message", node.text("id"), "", str(sender)), stanza)

    def _own_copy(self, node: Node) -> dict[str, Value]:
        recipient = node.jid("recipient") or node.jid("to")
        if recipient is None or node.text("category") == "peer":
            return {}
        peer = self._network.accounts.find(recipient)
        if peer is None or recipient.server != LID_SERVER:
            return {"recipient": recipient}
        return {"recipient": recipient, "peer_recipient_pn": peer.pn_jid}

    def _forward_receipt(self, session: Session, node: Node, to: JID, recipient: Account) -> None:
        kind = node.text("type")
        sender = _sender(session.device, to)
        attrs: dict[str, Value] = {"from": sender, "id": node.text("id"), "t": str(int(time.time()))}
        if kind:
            attrs["type"] = kind
        content = list(node.children) or None
        stanza = self._network.codec.encode(Node("receipt", attrs, content))
        key = StanzaKey("receipt", node.text("id"), kind, str(sender))
        devices: list[Device | None] = list(recipient.devices.values())
        if kind == "retry":
            # Only the device that encrypted the message can encrypt it anew.
            devices = [recipient.devices.get(to.device)]
        for device in devices:
            if device is not None:
                device.mailbox.put(key, stanza)

    def _outdated(self, session: Session, node: Node, recipient: Account | Group) -> dict[str, str]:
        """The hash of the device lists as they are, when the sender's list of the recipient is an old one."""
        if isinstance(recipient, Group):
            return self._groups.outdated(node, recipient)
        fan_out = node.child("participants")
        to = node.jid("to")
        if fan_out is None or to is None:
            return {}
        current = {JID(to.user, to.server, number) for number in recipient.device_numbers()}
        if recipient is session.device.account or current <= {part.jid("jid") for part in fan_out.children}:
            return {}
        own = session.device.account
        mine = {_sender(session.device, to).account._replace(device=n) for n in own.device_numbers()}
        return {"phash": participant_hash(current | mine)}

    def _acknowledge(self, session: Session, node: Node, *, after: float = 0, **result: str) -> None:
        attrs: dict[str, Value] = {"class": "message", "id": node.text("id"), **result}
        if "to" in node.attrs:
            attrs["from"] = node.attrs["to"]
        self._send_when_stored(session, Node("ack", attrs), after)

    def _send_when_stored(self, session: Session, node: Node, after: float = 0) -> None:
        # Encoded now: what cannot be encoded is the sender's fault and ends its connection, not the commit.
        stanza = self._network.codec.encode(node)
        when_stored = self._network.state.when_stored
        if after:
            asyncio.get_running_loop().call_later(after, when_stored, partial(session.send_encoded, stanza))
        else:
            when_stored(partial(session.send_encoded, stanza))


def _sender(device: Device, seen_by: JID) -> JID:
    """A device's address of the same kind as the one it was addressed with."""
    return device.lid if seen_by.server == LID_SERVER else device.pn


def _introduction(sender: Account, shown: JID) -> dict[str, Value]:
    """What a recipient learns about the sender: the push name, and the address that is not in ``from``."""
    attrs: dict[str, Value] = {"notify": sender.name} if sender.name else {}
    if shown.server == LID_SERVER:
        attrs["sender_pn"] = sender.pn_jid
    else:
        attrs["sender_lid"] = sender.lid_jid
    return attrs
