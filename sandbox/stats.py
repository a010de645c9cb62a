"""Counters of what the network has done since it started."""

from dataclasses import dataclass

__all__ = ["Stats"]


@dataclass(slots=True)
class Stats:
    """Plain counters; all but ``connections`` only grow.

    Attributes:
        connections: Clients connected now, logged in or not.
        connections_total: Clients ever connected.
        stanzas_in: Stanzas received.
        stanzas_out: Stanzas sent.
        messages_accepted: Messages taken over from senders.
        messages_delivered: Copies that a device acknowledged, or that a phone swallowed.
    """

    connections: int = 0
    connections_total: int = 0
    stanzas_in: int = 0
    stanzas_out: int = 0
    messages_accepted: int = 0
    messages_delivered: int = 0
