"""What phones remember from before their devices were linked, and how they give it to them.

A phone gives its history in chunks, each in a message of its own to the device, compressed. A chunk that it
holds goes once to every device that it links from then on.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sandbox.accounts import Account, Device
from sandbox.companions import write_peer_message
from sandbox.state import State
from sandbox.wire_protos import (
    HistorySync,
    HistorySyncNotification,
    HistorySyncType,
    Message,
    ProtocolMessage,
)

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["Chunk", "Histories", "give", "give_once"]


@dataclass(slots=True, frozen=True)
class Chunk:
    """A part of a history, as it travels.

    Attributes:
        type: A name of ``HistorySyncType``, such as ``RECENT``.
        order: Where it stands among the chunks of its type, from 1.
        progress: Per cent of the history that were given with it.
        payload: The ``HistorySync``, compressed.
    """

    type: str
    order: int
    progress: int
    payload: bytes

    @classmethod
    def of(cls, history: HistorySync) -> Self:
        """Packs a part of a history."""
        packed = zlib.compress(history.SerializeToString())
        name = HistorySync.HistorySyncType.Name(history.syncType)
        return cls(name, history.chunkOrder, history.progress, packed)


class Histories:
    """What each phone holds for devices that it links, in memory and in the state.

    Args:
        state: Where it is kept.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._held: dict[str, list[Chunk]] = {}
        self._given: set[tuple[str, int]] = set(state.load("SELECT number, device FROM histories_given"))
        for number, *chunk in state.load(
            "SELECT number, type, chunk_order, progress, payload FROM histories ORDER BY number, place"
        ):
            self._held.setdefault(number, []).append(Chunk(*chunk))

    def hold(self, account: Account, chunks: Iterable[Chunk]) -> None:
        """From now on a phone holds these chunks, and no others."""
        held = self._held[account.number] = list(chunks)
        self._state.write("DELETE FROM histories WHERE number = ?", (account.number,))
        for place, chunk in enumerate(held):
            self._state.write(
                "INSERT INTO histories VALUES (?, ?, ?, ?, ?, ?)",
                (account.number, place, chunk.type, chunk.order, chunk.progress, chunk.payload),
            )

    def take_for(self, device: Device) -> list[Chunk]:
        """What a device is to be given; nothing the next time."""
        number = device.account.number
        chunks = self._held.get(number)
        if not chunks or (number, device.number) in self._given:
            return []
        self._given.add((number, device.number))
        self._state.write("INSERT INTO histories_given VALUES (?, ?)", (number, device.number))
        return chunks


def give_once(network: "Network", device: Device) -> None:
    """Lets the phone give what it holds to a device that has not got it.

    A device that has not published one-time keys yet is left for its next login.
    """
    if not device.prekeys:
        return
    for chunk in network.histories.take_for(device):
        give(network, device, chunk)


def give(network: "Network", device: Device, chunk: Chunk) -> None:
    """Lets the phone give a chunk to one of its devices."""
    notification = HistorySyncNotification(
        syncType=HistorySyncType.Value(chunk.type),
        chunkOrder=chunk.order,
        progress=chunk.progress,
        initialHistBootstrapInlinePayload=chunk.payload,
    )
    write_peer_message(
        network,
        device,
        Message(
            protocolMessage=ProtocolMessage(
                type=ProtocolMessage.HISTORY_SYNC_NOTIFICATION, historySyncNotification=notification
            )
        ),
    )
