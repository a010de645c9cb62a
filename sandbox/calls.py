"""Calls, as far as a device learns of them: they ring, are taken elsewhere, and end. Nobody talks."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.jid import JID
from sandbox.mailbox import StanzaKey, sender_of
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["Call", "Calls"]

_TAG = "call"
_PLATFORM = {"platform": "android", "version": "2.26.45"}


@dataclass(slots=True)
class Call:
    """A call that rings, or was taken and has not ended.

    Attributes:
        id: WhatsApp's id of it.
        caller: Who calls.
        callee: Who is called, as a member of `group` where that is named.
        group: The group that is called.
        video: Whether it is a video call.
        taken: Whether the callee took it.
    """

    id: str
    caller: Account
    callee: Account
    group: JID | None
    video: bool
    taken: bool = False


class Calls:
    """The calls on the network that have not ended.

    Args:
        network: The network.
    """

    def __init__(self, network: "Network") -> None:
        self._network = network
        self._ringing: dict[str, Call] = {}

    def __iter__(self) -> Iterator[Call]:
        return iter(self._ringing.values())

    def ring(self, caller: Account, callee: Account, *, video: bool, group: JID | None = None) -> Call:
        """Lets somebody call an account, on all its devices."""
        call = Call(secrets.token_hex(16).upper(), caller, callee, group, video)
        self._ringing[call.id] = call
        media = [Node("audio", {"enc": "opus", "rate": "16000"})]
        if video:
            media.append(Node("video", {"enc": "vp8"}))
        if group is None:
            self._tell(call, Node("offer", self._attrs(call), media))
        else:
            kind = {"type": "group", "media": "video" if video else "audio", "group-jid": str(group)}
            self._tell(call, Node("offer_notice", {**self._attrs(call), **kind}))
        return call

    def find(self, call_id: str) -> Call | None:
        """The call with that id, while it rings."""
        return self._ringing.get(call_id)

    def accept(self, call: Call) -> None:
        """The callee takes it, on the phone: the account's other devices hear of that."""
        call.taken = True
        self._tell(call, Node("accept", self._attrs(call)))

    def end(self, call: Call, reason: str) -> None:
        """It ends. `reason` is a word such as ``timeout``; empty for none."""
        del self._ringing[call.id]
        attrs = self._attrs(call)
        if reason:
            attrs["reason"] = reason
        self._tell(call, Node("terminate", attrs))

    @staticmethod
    def _attrs(call: Call) -> dict[str, Value]:
        return {
            "call-id": call.id,
            "call-creator": call.caller.lid_jid,
            "caller_pn": call.caller.pn_jid,
        }

    def _tell(self, call: Call, step: Node) -> None:
        stanza_id = secrets.token_hex(8).upper()
        attrs: dict[str, Value] = {
            "from": call.caller.lid_jid,
            "id": stanza_id,
            "t": str(int(time.time())),
            **_PLATFORM,
        }
        if call.caller.name:
            attrs["notify"] = call.caller.name
        node = Node(_TAG, attrs, [step])
        key = StanzaKey(_TAG, stanza_id, "", sender_of(node, "from"))
        stanza = self._network.codec.encode(node)
        for device in call.callee.devices.values():
            device.mailbox.put(key, stanza)
