"""What waits for one device: a stanza stays here, and in the state, until the device has acknowledged it."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from sandbox.stanza import Node
from sandbox.state import State

__all__ = ["IN_FLIGHT", "Mailbox", "StanzaKey", "sender_of"]

IN_FLIGHT = 1000
"""Stanzas sent ahead of their acknowledgements; the client's own queue holds about twice as many."""


class StanzaKey(NamedTuple):
    """What identifies a stanza in its acknowledgement.

    Attributes:
        tag: ``message``, ``receipt`` or ``notification``.
        id: The stanza's id.
        type: For receipts and notifications their type; empty for messages.
        sender: Its ``from``, and in a group who of its members sent it; see ``sender_of``.
    """

    tag: str
    id: str
    type: str
    sender: str


def sender_of(node: Node, name: str) -> str:
    """The sender in a stanza's key.

    Args:
        node: The stanza, or an answer to it, which names both in the same way.
        name: ``from`` in the stanza, ``to`` in the answer.
    """
    return " ".join(filter(None, (node.text(name), node.text("participant"))))


class _Letter:
    __slots__ = ("key", "seq", "stanza")

    def __init__(self, key: StanzaKey, seq: int, stanza: bytes) -> None:
        self.key, self.seq, self.stanza = key, seq, stanza


class Mailbox:
    """The ordered queue of one device.

    Args:
        state: Where it is kept.
        number: The account's phone number.
        device: The device's number.
    """

    __slots__ = ("_device", "_letters", "_number", "_pace", "_state", "_transmit", "_unsent")

    def __init__(self, state: State, number: str, device: int) -> None:
        self._state = state
        self._number = number
        self._device = device
        self._letters: dict[StanzaKey, _Letter] = {}
        self._unsent: deque[_Letter] = deque()
        self._transmit: Callable[[str, bytes], None] | None = None
        self._pace: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._letters)

    def tags(self) -> Counter[str]:
        """How many stanzas of each kind wait."""
        return Counter(key.tag for key in self._letters)

    def restore(self, seq: int, key: StanzaKey, stanza: bytes) -> None:
        """Puts back what the state holds, in order, before the network serves."""
        letter = _Letter(key, seq, stanza)
        self._letters[key] = letter
        self._unsent.append(letter)

    def put(self, key: StanzaKey, stanza: bytes) -> None:
        """Stores a stanza (encoded) and sends it when the device listens.

        A stanza with the key of one that still waits replaces it: it is the same thing sent anew.
        """
        replaced = self._letters.pop(key, None)
        if replaced is not None:
            self._forget(replaced)
            if replaced in self._unsent:
                self._unsent.remove(replaced)
        letter = _Letter(key, self._state.next_mail(), stanza)
        self._letters[key] = letter
        self._unsent.append(letter)
        self._state.write(
            "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (letter.seq, self._number, self._device, *key, stanza),
        )
        self._pump()

    def settle(self, key: StanzaKey) -> bool:
        """Drops a stanza that the device acknowledged; False where none waits under this key."""
        letter = self._letters.pop(key, None)
        if letter is None:
            return False
        self._forget(letter)
        self._pump()
        return True

    def open(self, transmit: Callable[[str, bytes], None]) -> None:
        """Begins to deliver, oldest first.

        Args:
            transmit: Sends one stanza; gets its tag and its encoded form. Never waits.
        """
        self._transmit = transmit
        self._pump()

    def open_slowly(
        self, transmit: Callable[[str, bytes], None], pause: float, caught_up: Callable[[], None]
    ) -> None:
        """Begins to deliver what waits now one by one; what comes meanwhile queues behind it.

        Args:
            transmit: As for ``open``.
            pause: Seconds between two stanzas.
            caught_up: Called when everything that waited has been sent.
        """
        self._transmit = transmit
        self._trickle(len(self._unsent), pause, caught_up)

    def shut(self) -> None:
        """Ends delivery; what was sent but not acknowledged will be sent again."""
        if self._pace is not None:
            self._pace.cancel()
            self._pace = None
        self._transmit = None
        self._unsent = deque(self._letters.values())

    def _trickle(self, left: int, pause: float, caught_up: Callable[[], None]) -> None:
        self._pace = None
        if left and self._unsent and self._transmit:
            letter = self._unsent.popleft()
            loop = asyncio.get_running_loop()
            self._pace = loop.call_later(pause, self._trickle, left - 1, pause, caught_up)
            # Last: where the network has fallen silent, it shuts the mailbox.
            self._transmit(letter.key.tag, letter.stanza)
            return
        caught_up()
        self._pump()

    def _pump(self) -> None:
        while (
            self._pace is None
            and self._unsent
            and self._transmit
            and len(self._letters) - len(self._unsent) < IN_FLIGHT
        ):
            letter = self._unsent.popleft()
            self._transmit(letter.key.tag, letter.stanza)

    def _forget(self, letter: _Letter) -> None:
        self._state.write("DELETE FROM mail WHERE seq = ?", (letter.seq,))
