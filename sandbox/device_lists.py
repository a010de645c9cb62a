"""How clients learn that an account has linked or lost a device.

Clients keep device lists in memory and fan messages out by them. An account's own devices are told of a
change; a correspondent is told with the acknowledgement of the next message that was fanned out by an old
list.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.jid import JID, lid_jid
from sandbox.mailbox import StanzaKey
from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["announce", "participant_hash"]

_HASH_BYTES = 6


def participant_hash(devices: Iterable[JID]) -> str:
    """The short hash by which client and network compare device lists.

    Args:
        devices: Addresses of all devices, the phones among them.
    """
    # Each in the form user.agent:device@server; the agent is 0 for the addresses that are used here.
    texts = sorted(f"{jid.user}.0:{jid.device}@{jid.server}" for jid in devices)
    digest = hashlib.sha256("".join(texts).encode()).digest()[:_HASH_BYTES]
    return "2:" + base64.b64encode(digest).rstrip(b"=").decode()


def announce(network: "Network", account: Account) -> None:
    """Tells an account's devices which devices it has now."""
    jids = [lid_jid(account.lid, number) for number in account.device_numbers()]
    devices = Node(
        "devices", {"dhash": participant_hash(jids)}, [Node("device", {"jid": jid}) for jid in jids]
    )
    for device in account.devices.values():
        stanza_id = secrets.token_hex(8).upper()
        node = Node(
            "notification",
            {
                "from": account.lid_jid,
                "type": "account_sync",
                "id": stanza_id,
                "t": str(int(time.time())),
            },
            [devices],
        )
        key = StanzaKey("notification", stanza_id, "account_sync", str(account.lid_jid))
        device.mailbox.put(key, network.codec.encode(node))
