"""Hands one message to WhatsApp, for sync and async sends alike."""

import asyncio
import logging

from server.chats.addresses import Addresses
from server.config import Settings
from server.errors import invalid
from server.messages.composing import Composition
from server.store.conversations import ConversationRepository
from server.store.message_actions import MessageRepository
from server.store.records import Session
from server.whatsapp.content import Content, Quote
from server.whatsapp.jid import Jid, parse_jid
from server.whatsapp.port import ChatState, Client, RefusedError, Sent

log = logging.getLogger(__name__)


class Delivery:
    """Completes a message from the stored copy and sends it."""

    def __init__(
        self,
        settings: Settings,
        conversations: ConversationRepository,
        messages: MessageRepository,
        addresses: Addresses,
    ) -> None:
        """Finds quoted messages in `conversations` and `messages`."""
        self._settings = settings
        self._conversations = conversations
        self._messages = messages
        self._addresses = addresses

    async def canonical(self, session: Session, jid: Jid) -> Jid:
        """The JID under which the stored copy keeps a chat."""
        return await self._addresses.canonical(session.id, jid)

    async def complete(self, session: Session, composition: Composition) -> Content:
        """The content of a checked draft, with the message that it quotes.

        Raises:
            WagateError: VALIDATION_ERROR where the quoted message is not stored in that chat.
        """
        if not composition.reply_to:
            return composition.content
        chat_jid = await self.canonical(session, composition.to)
        chat = await self._conversations.find_chat(session.id, str(chat_jid))
        quoted = None if chat is None else await self._messages.find(chat.id, composition.reply_to)
        if quoted is None:
            raise invalid("replyTo", "no message with this id is stored in that chat")
        return composition.quoting(Quote(quoted.wa_message_id, parse_jid(quoted.sender_jid), quoted.content))

    async def deliver(self, session: Session, client: Client, to: Jid, content: Content) -> Sent:
        """Sends, after showing that the session is typing, where it is set to.

        Raises:
            RefusedError: it was not sent.
            OutcomeUnknownError: it may have been sent.
        """
        if session.presence_typing and self._settings.typing_seconds:
            await self._type(client, to)
        return await client.send(to, content, within=self._settings.send_timeout)

    async def _type(self, client: Client, to: Jid) -> None:
        try:
            await client.show_chat_state(to, ChatState.COMPOSING)
        except RefusedError as error:
            # The message matters more; where the connection is gone its send says so.
            log.info("a chat state could not be shown: %s", error)
            return
        await asyncio.sleep(self._settings.typing_seconds)  # to be seen: the message takes it away
