"""What a session has received and is not stored yet, nor confirmed to WhatsApp."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from server.clock import now_ms
from server.store.records import UNDECRYPTABLE, Session
from server.whatsapp.incoming import Received, Repeated
from server.whatsapp.jid import Jid
from server.whatsapp.port import Client, ClientError, ClientFactory, Event, Incoming

log = logging.getLogger(__name__)

ASKED_AT_MOST: Final = 3
"""Times that the sender of a message is asked for it anew; the library gives up in the third."""
GATHER_SECONDS: Final = 0.2
"""How long a session that has found a lost message waits for others, before their senders are asked."""
DRAIN_SECONDS: Final = 10.0
"""How long storing what had arrived before the end may take. A database that is away is given up then."""

Ingest = Callable[[Session, Sequence[Incoming]], Awaitable[Sequence[Repeated]]]
"""Takes what a session received, in order, and returns once it is stored: those messages that WhatsApp
delivered again and that are not stored."""


class Inbox:
    """Keeps what was received until it is stored: messages, what was done to them, how far they came."""

    def __init__(self, ingest: Ingest) -> None:
        """Stores by `ingest`."""
        self._ingest = ingest
        self._unstored: list[Incoming] = []
        self._asked: Counter[str] = Counter()
        self.lost: list[Repeated] = []
        """What was decrypted once and never stored: its senders are to be asked again."""
        self._ask_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether everything is stored."""
        return not self._unstored

    @property
    def asks_in(self) -> float | None:
        """Seconds until the senders of what is lost are to be asked; None where nothing is lost."""
        return max(0.0, self._ask_at - time.monotonic()) if self.lost else None

    def note(self, events: Sequence[Event]) -> None:
        """Keeps what is to be stored among events, in its order."""
        self._unstored += [event for event in events if isinstance(event, Incoming)]

    async def store(self, session: Session) -> None:
        """Stores what is kept. Interrupted, it can be called again: storing is idempotent."""
        if self._unstored:
            lost = await self._ingest(session, tuple(self._unstored))
            self._unstored.clear()
            for message in lost:
                if self._asked[message.id] >= ASKED_AT_MOST:
                    log.error(
                        "message %s of session %s is lost: asking again did not help", message.id, session.id
                    )
                    continue
                if not self.lost:
                    self._ask_at = time.monotonic() + GATHER_SECONDS
                self.lost.append(message)

    async def ask_again(self, clients: ClientFactory, device: Path) -> None:
        """Has the senders of what is lost asked for it. The session's client must be stopped.

        Raises:
            ClientError: it could not be done; the next client tells of the messages again.
        """
        lost, self.lost = self.lost, []
        if lost:
            await clients.ask_again(device, lost)
            self._asked.update(message.id for message in lost)

    async def store_soon(self, session: Session) -> None:
        """Stores what is kept, or keeps it still where that takes too long."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.store(session)
        except TimeoutError:
            log.warning(
                "%d events of session %s could not be stored within %.0f s of its end; "
                "this node keeps them and tries again",
                len(self._unstored),
                session.id,
                DRAIN_SECONDS,
            )

    def give_up(self, session: Session) -> None:
        """Says what is not stored because the node ends: not being confirmed, it is delivered again."""
        if self._unstored:
            log.warning("%d events of session %s are left to WhatsApp", len(self._unstored), session.id)


async def mark_read(client: Client, session: Session, events: Sequence[Event]) -> None:
    """Tells the senders of stored messages that they were read. What cannot be told is logged."""
    unread: dict[tuple[Jid, Jid], list[str]] = {}
    for event in events:
        # Nobody can have read what could not be decrypted; when it can, it comes once more.
        if isinstance(event, Received) and not event.from_me and event.type != UNDECRYPTABLE:
            unread.setdefault((event.chat, event.sender), []).append(event.id)
    for (chat, sender), ids in unread.items():
        try:
            await client.mark_read(chat, sender, ids, now_ms())
        except ClientError as error:
            log.info("%d messages of session %s stay unread: %s", len(ids), session.id, error)


async def next_events(client: Client, *, limit: float | None) -> Sequence[Event]:
    """Waits for a client's next events, for at most `limit` seconds; none came where it returns none."""
    try:
        async with asyncio.timeout(limit):
            return await client.events()
    except TimeoutError:
        return ()
