"""What a session receives, into the stored copy."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.store.conversations import ConversationRepository, SessionGoneError
from server.store.failures import DatabaseFailure
from server.store.records import NewMessage, Session
from server.whatsapp.port import Received

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Between attempts to store while the database does not take it."""
ATTEMPTS: Final = 3
"""Attempts at a message that fails although the database works."""


class Ingest:
    """Stores received messages, in order; see `server.sessions.inbox.Ingest`."""

    def __init__(self, conversations: ConversationRepository, addresses: Addresses) -> None:
        """Stores into `conversations`."""
        self._conversations = conversations
        self._addresses = addresses

    async def __call__(self, session: Session, received: Sequence[Received]) -> None:
        """Returns when all is stored, or is set aside.

        WhatsApp has been told already that it was received, and will not send it again: so a database
        that is away is waited for, and holds this session's further events back. A message that cannot be
        stored though the database works is tried a few times and then set aside, with a line in the log,
        so that it does not hold them back for ever.
        """
        attempt = 1
        while received:
            try:
                await self._store(session, received)
            except SessionGoneError:
                log.warning("%d messages of session %s came after its end", len(received), session.id)
                return
            except DatabaseFailure as error:
                log.warning("%d messages of session %s wait: %s", len(received), session.id, error.message)
            except Exception:
                log.warning("messages of session %s are stored one by one", session.id, exc_info=True)
                received = await self._store_each(session, received, last=attempt == ATTEMPTS)
                attempt += 1
            else:
                return
            # Nothing tells when a database is back: asking now and then is all there is.
            await asyncio.sleep(RETRY_SECONDS if received else 0)

    async def _store_each(
        self, session: Session, received: Sequence[Received], *, last: bool
    ) -> Sequence[Received]:
        """Stores messages one by one; returns those that are to be tried again."""
        again = list(received)
        for message in received:
            try:
                await self._store(session, [message])
            except (SessionGoneError, DatabaseFailure):
                return again
            except Exception:
                if not last:
                    continue
                log.exception("message %s of session %s cannot be stored; set aside", message.id, session.id)
            again.remove(message)
        return again

    async def _store(self, session: Session, received: Sequence[Received]) -> None:
        forms: list[NewMessage] = []
        try:
            for message in received:
                forms.append(await self._stored_form(session, message))  # noqa: PERF401 - kept when one fails
            await self._conversations.store(forms)
        except BaseException:
            self._addresses.forget(session.id, [form.lid for form in forms if form.lid])
            raise

    async def _stored_form(self, session: Session, message: Received) -> NewMessage:
        # In a chat with one person that person's, whoever wrote; in a group the writer's.
        learned = (message.chat, message.chat_alternative)
        if message.chat.is_group:
            learned = (message.sender, message.sender_alternative)
        chat = await self._addresses.canonical(session.id, message.chat, message.chat_alternative)
        sender = await self._addresses.canonical(session.id, message.sender, message.sender_alternative)
        # Last, because it is remembered: what fails before must not lose it.
        news = self._addresses.news(session.id, *learned)
        return NewMessage(
            session_id=session.id,
            chat_jid=str(chat),
            chat_name="" if message.from_me or message.chat.is_group else message.sender_name,
            wa_message_id=message.id,
            sender_jid=session.wa_jid or str(sender) if message.from_me else str(sender),
            from_me=message.from_me,
            type=message.type,
            body=message.body,
            ack_level=1 if message.from_me else 0,
            error=None,
            timestamp=message.timestamp,
            created_at=now_ms(),
            content=message.content,
            lid=news[0] if news else None,
            phone_jid=news[1] if news else None,
            quoted_id=message.quoted_id,
            mentions=[str(await self._addresses.canonical(session.id, jid)) for jid in message.mentions],
        )
