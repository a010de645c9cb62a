"""Clients as the suite holds them."""

from typing import Final

from server.whatsapp.jid import Jid
from server.whatsapp.port import Client, Event, Identity
from tests.support.waiting import until_async

DEADLINE: Final = 30.0
"""Seconds for anything on the wire to come true."""


class Following:
    """A client whose events are kept as they are taken."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self.ended = False
        self.identity: Identity | None = None

    @property
    def jid(self) -> Jid:
        """The account by phone number."""
        assert self.identity is not None
        return self.identity.jid

    @property
    def lid(self) -> Jid:
        """The account by LID."""
        assert self.identity is not None
        assert self.identity.lid is not None
        return self.identity.lid

    async def take(self) -> None:
        """Takes what is there, or waits for it."""
        taken = await self.client.events()
        self.events += taken
        self.ended = not taken

    async def wait_for(self, kind: type[Event], count: int = 1) -> None:
        """Takes events until there are so many of a kind."""

        async def enough() -> bool:
            if sum(isinstance(event, kind) for event in self.events) >= count:
                return True
            assert not self.ended, f"no {kind.__name__} before the end: {self.events}"
            await self.take()
            return False

        await until_async(enough, f"{count} of {kind.__name__}", within=DEADLINE)
