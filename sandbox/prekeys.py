"""Prekeys: devices publish them, whoever wants to write to a device fetches a bundle of them."""

from typing import TYPE_CHECKING

from sandbox.accounts import Account, Device, PreKey, SignedPreKey
from sandbox.binary_xml import MalformedStanzaError
from sandbox.curve import KEY_TYPE, KeyPair
from sandbox.jid import JID, SERVER_JID
from sandbox.mailbox import StanzaKey
from sandbox.query import QueryError
from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.network import Network
    from sandbox.session import Session

__all__ = ["get", "publish", "take"]

_FEW = 5
"""With fewer one-time keys left, a device is asked for more; the client's own limit (``MinPreKeyCount``)."""

_NOT_FOUND = QueryError(404, "item-not-found")


def publish(session: "Session", iq: Node) -> list[Node]:
    """Takes over the keys of the asking device.

    Raises:
        MalformedStanzaError: A key is missing or has the wrong size.
    """
    listed = _required(iq, "list")
    session.network.accounts.publish_keys(
        session.device,
        _sized(iq, "registration", 4),
        _sized(iq, "identity", 32),
        SignedPreKey(*_key(_required(iq, "skey")), _sized(_required(iq, "skey"), "signature", 64)),
        [PreKey(*_key(key)) for key in listed.children],
    )
    return []


def get(session: "Session", iq: Node) -> list[Node]:
    """Answers how many one-time keys the device has left, or the bundles of others."""
    if iq.child("count"):
        return [Node("count", {"value": str(len(session.device.prekeys))})]
    wanted = iq.child("key")
    if wanted is None:
        raise QueryError(501, "feature-not-implemented")
    bundles = [_bundle(session, user.jid("jid")) for user in wanted.children]
    return [Node("list", content=bundles)]


def take(network: "Network", device: Device) -> PreKey | None:
    """Takes a one-time key of a device, and asks the device for more when few are left.

    Returns:
        A key that nobody else gets, or None when none is left.
    """
    one_time = network.accounts.take_prekey(device)
    if len(device.prekeys) == _FEW - 1:
        _ask_for_more(network, device)
    return one_time


def _bundle(session: "Session", jid: JID | None) -> Node:
    if jid is None:
        return Node("user", content=[_NOT_FOUND.node()])
    account = session.network.accounts.find(jid)
    device = account.devices.get(jid.device) if account else None
    if account is not None and jid.device == 0:
        content = _phone_bundle(account)
    elif device is not None:
        content = _device_bundle(session, device)
    else:
        content = [_NOT_FOUND.node()]
    return Node("user", {"jid": jid}, content)


def _phone_bundle(account: Account) -> list[Node]:
    # Nobody decrypts what a phone gets here, so its one-time keys are made as they are asked for and their
    # private halves thrown away: a phone never runs out.
    one_time = KeyPair.generate().public
    return _bundle_content(
        account.registration.to_bytes(4, "big"),
        account.identity.public,
        account.phone_prekey(),
        PreKey(one_time[:3], one_time),
    )


def _device_bundle(session: "Session", device: Device) -> list[Node]:
    one_time = take(session.network, device)
    content = _bundle_content(device.registration, device.identity, device.signed_prekey, one_time)
    return [*content, Node("device-identity", content=device.device_identity)]


def _ask_for_more(network: "Network", device: Device) -> None:
    left = str(len(device.prekeys))
    node = Node(
        "notification",
        {"from": SERVER_JID, "type": "encrypt", "id": f"prekeys-{device.signed_prekey.id.hex()}-{left}"},
        [Node("count", {"value": left})],
    )
    key = StanzaKey("notification", node.text("id"), "encrypt", str(SERVER_JID))
    device.mailbox.put(key, network.codec.encode(node))


def _bundle_content(
    registration: bytes, identity: bytes, signed: SignedPreKey, one_time: PreKey | None
) -> list[Node]:
    content = [
        Node("registration", content=registration),
        Node("type", content=KEY_TYPE),
        Node("identity", content=identity),
        Node(
            "skey",
            content=[
                Node("id", content=signed.id),
                Node("value", content=signed.value),
                Node("signature", content=signed.signature),
            ],
        ),
    ]
    if one_time is not None:
        content.append(
            Node("key", content=[Node("id", content=one_time.id), Node("value", content=one_time.value)])
        )
    return content


def _key(node: Node) -> tuple[bytes, bytes]:
    return _sized(node, "id", 3), _sized(node, "value", 32)


def _required(node: Node, tag: str) -> Node:
    child = node.child(tag)
    if child is None:
        raise MalformedStanzaError(f"keys were published without {tag}")
    return child


def _sized(node: Node, tag: str, size: int) -> bytes:
    data = _required(node, tag).data
    if len(data) != size:
        raise MalformedStanzaError(f"{tag} of published keys has {len(data)} bytes instead of {size}")
    return data
