"""Counters of what the network has done since it started."""

from dataclasses import dataclass

__all__ = ["Stats"]


@dataclass(slots=True)
class Stats:
    """Plain counters that only grow.

    Attributes:
        connections: Clients that connected, logged in or not.
        stanzas_in: Stanzas received.
        stanzas_out: Stanzas sent.
        messages_accepted: Messages taken over from senders.
        messages_delivered: Copies that a device acknowledged, or that a phone swallowed.
    """

    connections: int = 0
    stanzas_in: int = 0
    stanzas_out: int = 0
    messages_accepted: int = 0
    messages_delivered: int = 0
