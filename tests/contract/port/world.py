"""What the suite needs of a network beside the port: somebody who plays phones and other people."""

from typing import Protocol

from server.whatsapp.jid import Jid
from server.whatsapp.port import ClientFactory, Pairing

PAIRINGS = 2
"""Pairing attempts that a world runs at the same time."""


class World(Protocol):
    """A WhatsApp in which the implementation under test lives. Numbers are used by one test each."""

    @property
    def clients(self) -> ClientFactory:
        """The implementation's clients."""
        ...

    @property
    def pairing(self) -> Pairing:
        """The implementation's pairing."""
        ...

    async def scan(self, code: str, number: str) -> None:
        """The phone of `number` scans a code."""
        ...

    async def person(self, number: str) -> Jid:
        """Puts somebody on the network who reads and writes."""
        ...

    async def write(self, person: str, to: str, text: str) -> str:
        """A person writes to a number; returns the message's id once the network has it."""
        ...

    async def heard(self, person: str) -> list[tuple[str, str]]:
        """What a person has read so far: (id, text), in order."""
        ...

    async def refuse_next_send(self, number: str) -> None:
        """The account's next send is refused: it may not reach out (463)."""
        ...

    async def silence(self, number: str) -> None:
        """The account's sends are not answered from now on."""
        ...

    async def refuse_connections(self) -> None:
        """New connections fail from now on."""
        ...

    async def heal(self) -> None:
        """Ends silence and refused connections."""
        ...

    async def cut(self, number: str) -> None:
        """The account's connections break; nothing keeps them from coming back."""
        ...

    async def unlink(self, number: str) -> None:
        """The account's phone unlinks its devices."""
        ...
