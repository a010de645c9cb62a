"""Two people who write to each other."""

from collections.abc import Sequence
from typing import Final

from server.whatsapp.content import Content
from server.whatsapp.incoming import Received
from server.whatsapp.port import Sent
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.world import Letter, World
from tests.support.waiting import until_async

SECONDS: Final = 20.0
"""How long a send may take."""


class Pair:
    """Two people who write to each other."""

    def __init__(self, world: World, live: Following, reader: Following) -> None:
        self.world, self.live, self.reader = world, live, reader
        self._answers: set[str] = set()
        self._read = {live.lid: 0, reader.lid: 0}

    async def send(self, content: Content) -> tuple[Sent, Letter]:
        """Our account sends; returns that and what the other one decrypted."""
        sent = await self.live.client.send(self.reader.jid, content, within=SECONDS)
        return sent, await self.letter(self.reader, sent)

    async def answer(self, content: Content) -> tuple[Sent, Letter]:
        """The other one sends."""
        sent = await self.reader.client.send(self.live.jid, content, within=SECONDS)
        self._answers.add(sent.id)
        return sent, await self.letter(self.live, sent)

    async def letter(self, reader: Following, sent: Sent) -> Letter:
        """A message as somebody decrypted it."""

        async def arrived() -> bool:
            return any(letter.id == sent.id for letter in self.letters(reader))

        await until_async(arrived, f"{sent.id} has arrived", within=DEADLINE)
        return next(letter for letter in self.letters(reader) if letter.id == sent.id)

    async def received(self, *, until: Sent) -> list[Received]:
        """What our account has received in this test, up to a message."""

        async def arrived() -> bool:
            if any(isinstance(event, Received) and event.id == until.id for event in self.live.events):
                return True
            await self.live.take()
            return False

        await until_async(arrived, f"{until.id} is received", within=DEADLINE)
        return [
            event for event in self.live.events if isinstance(event, Received) and event.id in self._answers
        ]

    def letters(self, reader: Following) -> Sequence[Letter]:
        """What somebody has decrypted in this test."""
        return self.world.letters(reader.client)[self._read[reader.lid] :]

    def begin(self) -> None:
        """A new test begins: what was before does not count."""
        self._answers.clear()
        both = (self.live, self.reader)
        self._read = {one.lid: len(self.world.letters(one.client)) for one in both}

    async def close(self) -> None:
        """Stops both."""
        await self.live.client.stop()
        await self.reader.client.stop()
