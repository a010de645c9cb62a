"""What becomes of encrypted content on its way to a device that a fault has hit."""

from collections.abc import Iterable

from sandbox.faults import Faults
from sandbox.stanza import Node

__all__ = ["damaged"]

_BROKEN = 20
"""Bytes from the end: within what is encrypted or signed, and before the numbers of keys that end the first
messages of a session, which nobody looks at once it exists."""


def damaged(faults: Faults, number: str, encrypted: Iterable[Node]) -> list[Node]:
    """The encrypted parts of a message as an account's device gets them.

    Args:
        faults: The network's; ``corrupt`` and ``unavailable`` are counted here, once per message.
        number: The receiving account.
        encrypted: The ``enc`` nodes, as the sender made them.

    Returns:
        The same without a fault. With ``corrupt`` a byte of each is another one, so that no device can
        decrypt it and a sender who is asked for it encrypts anew; with ``unavailable`` one node that
        says that this device does not get the message at all.
    """
    parts = list(encrypted)
    if not parts:
        return parts
    unavailable = faults.take("unavailable", number)
    if unavailable is not None:
        return [Node("unavailable", {"type": str(unavailable.fields["type"])})]
    if faults.take("corrupt", number) is None:
        return parts
    return [Node(part.tag, dict(part.attrs), _broken(part.data)) for part in parts]


def _broken(ciphertext: bytes) -> bytes:
    return ciphertext[:-_BROKEN] + bytes([ciphertext[-_BROKEN] ^ 1]) + ciphertext[1 - _BROKEN :]
