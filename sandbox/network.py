"""What the parts of the network share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.accounts import Accounts
from sandbox.app_state import AppStates
from sandbox.binary_xml import Codec
from sandbox.connection import Connection
from sandbox.curve import KeyPair
from sandbox.faults import Faults
from sandbox.groups import Groups
from sandbox.histories import Histories
from sandbox.state import State
from sandbox.stats import Stats

if TYPE_CHECKING:
    from sandbox.pairing import Pairing

__all__ = ["Network"]


@dataclass(slots=True)
class Network:
    """The network's parts, put together once in ``service.py``.

    Attributes:
        folder: Where its files are.
        state: What survives a restart.
        accounts: Who exists.
        groups: Who is in a group with whom.
        app_states: The settings that each account's devices share.
        histories: What phones remember for devices that they link.
        codec: Encodes and decodes stanzas.
        root: The key that clients trust.
        static: The key of the Noise handshakes since the start.
        chain: The root's certificate for ``static``.
        faults: How it misbehaves now.
        stats: Counters.
        connections: All clients that are connected, logged in or not.
        pairings: Clients that wait for their code to be scanned, by each of their codes' references.
        code_pairings: Clients that wait for their code to be typed, by the phone on which that is to be done.
    """

    folder: Path
    state: State
    accounts: Accounts
    groups: Groups
    app_states: AppStates
    histories: Histories
    codec: Codec
    root: KeyPair
    static: KeyPair
    chain: bytes
    faults: Faults = field(default_factory=Faults)
    stats: Stats = field(default_factory=Stats)
    connections: set[Connection] = field(default_factory=set)
    pairings: "dict[str, Pairing]" = field(default_factory=dict)
    code_pairings: "dict[str, Pairing]" = field(default_factory=dict)
