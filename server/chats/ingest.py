"""What a session receives, into the stored copy."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.store.conversations import ConversationRepository, SessionGoneError
from server.store.records import NewMessage, Session
from server.whatsapp.port import Received

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Between attempts to store while the database does not take it."""


class Ingest:
    """Stores received messages, in order; see `server.sessions.runner.Ingest`."""

    def __init__(self, conversations: ConversationRepository, addresses: Addresses) -> None:
        """Stores into `conversations`."""
        self._conversations = conversations
        self._addresses = addresses

    async def __call__(self, session: Session, received: Sequence[Received]) -> None:
        """Returns when all is stored.

        WhatsApp has been told already that it was received, and will not send it again: so a database
        that is away is waited for, and holds this session's further events back.
        """
        messages = [await self._stored_form(session, message) for message in received]
        while True:
            try:
                await self._conversations.store(messages)
            except SessionGoneError:
                log.warning("%d messages of session %s came after its end", len(messages), session.id)
                return
            except asyncio.CancelledError:
                self._addresses.forget(session.id, [message.lid for message in messages if message.lid])
                raise
            except Exception:
                log.exception("the messages of session %s cannot be stored; trying again", session.id)
                # Nothing tells when a database is back: asking now and then is all there is.
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _stored_form(self, session: Session, message: Received) -> NewMessage:
        # In a chat with one person that person's, whoever wrote; in a group the writer's.
        learned = (message.chat, message.chat_alternative)
        if message.chat.is_group:
            learned = (message.sender, message.sender_alternative)
        news = self._addresses.news(session.id, *learned)
        chat = await self._addresses.canonical(session.id, message.chat, message.chat_alternative)
        sender = await self._addresses.canonical(session.id, message.sender, message.sender_alternative)
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
