"""The port's implementation in memory: a whole WhatsApp network in one object, for fast tests.

Accounts live in a `MemoryNetwork`; whoever holds it plays their phones: scans codes, writes, unlinks,
and decides what becomes of a send, of a connection and of a session. Linked devices are files in the
device folders, so they outlive clients and are lost with their folder, as real ones are.
"""

from server.whatsapp.memory.accounts import Account, ChatSettings, Group, Heard, HeldSend
from server.whatsapp.memory.client import MemoryClient, MemoryClients
from server.whatsapp.memory.network import MemoryNetwork
from server.whatsapp.memory.pairing import MemoryAttempt, MemoryPairing

__all__ = [
    "Account",
    "ChatSettings",
    "Group",
    "Heard",
    "HeldSend",
    "MemoryAttempt",
    "MemoryClient",
    "MemoryClients",
    "MemoryNetwork",
    "MemoryPairing",
]
