"""What an account's phone tells the linked devices: the app-state key once, and which settings changed."""

import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox import prekeys
from sandbox.accounts import Account, Device
from sandbox.app_state import Change
from sandbox.jid import SERVER_JID
from sandbox.mailbox import StanzaKey
from sandbox.signal_sender import seal
from sandbox.stanza import Node
from sandbox.sync_crypto import SyncKey
from sandbox.wire_protos import (
    AppStateSyncKey,
    AppStateSyncKeyData,
    AppStateSyncKeyFingerprint,
    AppStateSyncKeyId,
    AppStateSyncKeyShare,
    Message,
    ProtocolMessage,
    SyncActionValue,
    SyncdPatch,
)

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = [
    "answer_peer_message",
    "change_settings",
    "rename",
    "share_key",
    "take_patch",
    "write_peer_message",
]

_PUSH_NAME = ("setting_pushName",)
_PUSH_NAME_VERSION = 1


def share_key(network: "Network", device: Device) -> None:
    """Lets the phone share its app-state key with a device that has none; with that it can read and set.

    A device that has not published one-time keys yet is left for its next login. The push name is put into
    the app state by then: a client learns its own name from there alone.
    """
    account = device.account
    if not device.prekeys or not network.app_states.share_once(account, device.number):
        return
    _share_key(network, device)


def answer_peer_message(network: "Network", device: Device) -> None:
    """Lets the phone answer what a device wrote to it, which it cannot read: it shares its key again.

    That is what devices ask for when they meet a patch and have lost the key.
    """
    if device.prekeys:
        _share_key(network, device)


def rename(network: "Network", account: Account, name: str) -> None:
    """Changes an account's push name on its phone; people see it from now on, and the devices learn it.

    Raises:
        SyncError: The phone does not follow the app state any more.
    """
    change_settings(network, account, "critical_block", [_push_name(name)])
    network.accounts.rename(account, name)


def change_settings(network: "Network", account: Account, name: str, changes: Iterable[Change]) -> None:
    """Lets the phone change settings, which its devices are told of.

    Args:
        network: The network.
        account: Whose phone it is.
        name: The collection that the settings belong to.
        changes: What is set.

    Raises:
        SyncError: The phone does not follow this collection any more.
    """
    app_state = network.app_states.of(account)
    patch = app_state.compose(name, changes)
    network.app_states.append(account, name, app_state.version(name), patch)
    _announce(network, account, name)


def take_patch(network: "Network", device: Device, name: str, base: int, patch: SyncdPatch) -> int:
    """Takes over what a device has set: the phone reads it, and the other devices are told of it.

    Args:
        network: The network.
        device: Who has set it.
        name: The collection that it belongs to.
        base: The version that the patch was made on top of.
        patch: The patch.

    Returns:
        The collection's new version.

    Raises:
        ConflictError: The collection has another version by now.
    """
    account = device.account
    version = network.app_states.append(account, name, base, patch)
    setting = network.app_states.of(account).values.get(_PUSH_NAME)
    if setting is not None and setting.pushNameSetting.name:
        network.accounts.rename(account, setting.pushNameSetting.name)
    _announce(network, account, name, but=device)
    return version


def write_peer_message(network: "Network", device: Device, message: Message) -> str:
    """Lets the phone write to one of its devices about the account itself; returns the message's id.

    Args:
        network: The network.
        device: Who gets it.
        message: What is written.
    """
    account = device.account
    content = seal(
        account.identity,
        account.registration,
        device.identity,
        device.signed_prekey,
        prekeys.take(network, device),
        plaintext=message.SerializeToString(),
    )
    node = Node(
        "message",
        {
            "from": account.lid_jid,
            "id": "3A" + secrets.token_hex(9).upper(),
            "t": str(int(time.time())),
            "type": "text",
            "category": "peer",
        },
        [Node("enc", {"v": "2", "type": "pkmsg"}, content)],
    )
    key = StanzaKey("message", node.text("id"), "", str(account.lid_jid))
    device.mailbox.put(key, network.codec.encode(node))
    return node.text("id")


def _announce(network: "Network", account: Account, name: str, but: Device | None = None) -> None:
    version = str(network.app_states.of(account).version(name))
    for device in account.devices.values():
        if device is but:
            continue
        node = Node(
            "notification",
            {
                "from": SERVER_JID,
                "type": "server_sync",
                "id": secrets.token_hex(8).upper(),
                "t": str(int(time.time())),
            },
            [Node("collection", {"name": name, "version": version})],
        )
        key = StanzaKey("notification", node.text("id"), "server_sync", str(SERVER_JID))
        device.mailbox.put(key, network.codec.encode(node))


def _share_key(network: "Network", device: Device) -> None:
    account = device.account
    app_state = network.app_states.of(account)
    if account.name and _PUSH_NAME not in app_state.values:
        change_settings(network, account, "critical_block", [_push_name(account.name)])
    write_peer_message(network, device, _key_share(app_state.key))


def _push_name(name: str) -> Change:
    value = SyncActionValue()
    value.pushNameSetting.name = name
    return Change(_PUSH_NAME, _PUSH_NAME_VERSION, value)


def _key_share(key: SyncKey) -> Message:
    shared = AppStateSyncKey(
        keyID=AppStateSyncKeyId(keyID=key.id),
        keyData=AppStateSyncKeyData(
            keyData=key.data,
            fingerprint=AppStateSyncKeyFingerprint(rawID=1, currentIndex=0, deviceIndexes=[0]),
            timestamp=time.time_ns() // 1_000_000,
        ),
    )
    return Message(
        protocolMessage=ProtocolMessage(
            type=ProtocolMessage.APP_STATE_SYNC_KEY_SHARE,
            appStateSyncKeyShare=AppStateSyncKeyShare(keys=[shared]),
        )
    )
