"""Queries of the stored copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.chats.addresses import Addresses
from server.cursors import Cursors, page_size
from server.errors import invalid, not_found
from server.store.conversations import ConversationRepository
from server.store.message_actions import MessageRepository
from server.store.names import Names
from server.store.records import Chat, Message, Reaction, Session
from server.whatsapp.jid import parse_jid

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list; `next_cursor` is None at its end."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some of a chat's messages.

    Attributes:
        next_cursor: None at the end.
        reactions: by the row ids of messages.
        names: of the chat and the senders.
    """

    chat: Chat
    messages: Sequence[Message]
    next_cursor: str | None
    reactions: Mapping[int, Sequence[Reaction]]
    names: Names


class Chats:
    """Reads a session's stored chats and messages."""

    def __init__(
        self,
        conversations: ConversationRepository,
        messages: MessageRepository,
        addresses: Addresses,
        cursors: Cursors,
    ) -> None:
        """Reads from `conversations` and `messages`."""
        self._conversations = conversations
        self._messages = messages
        self._addresses = addresses
        self._cursors = cursors

    async def chats(self, session: Session, *, limit: int, cursor: str) -> Page[Chat]:
        """A page of chats: pinned first, then newest activity.

        Raises:
            WagateError: VALIDATION_ERROR for a cursor that is none of this list.
        """
        size = page_size(limit)
        scope = f"chats:{session.id}"
        after = None
        if cursor:
            pinned, last, row_id = self._cursors.decode(scope, cursor)
            after = (bool(pinned), int(last), int(row_id))
        found = list(await self._conversations.page_chats(session.id, after=after, limit=size + 1))
        page = found[:size]
        if len(found) <= size:
            return Page(page, None)
        end = page[-1]
        return Page(page, self._cursors.encode(scope, (end.pinned, end.last_message_at or 0, end.id)))

    async def find(self, session: Session, chat_jid: str) -> Chat:
        """Returns a stored chat by any JID of it.

        Raises:
            WagateError: NOT_FOUND where no such chat is stored; VALIDATION_ERROR for a JID that is none.
        """
        try:
            jid = parse_jid(chat_jid)
        except ValueError as error:
            raise invalid("cid", str(error)) from None
        canonical = await self._addresses.canonical(session.id, jid)
        chat = await self._conversations.find_chat(session.id, str(canonical))
        if chat is None:
            raise not_found("chat")
        return chat

    async def messages(self, session: Session, chat_jid: str, *, limit: int, cursor: str) -> MessagePage:
        """A page of a chat's messages, newest first, with what belongs to them.

        Raises:
            WagateError: NOT_FOUND where no such chat is stored; VALIDATION_ERROR for a JID that is
                none, and for a cursor that is none of this list.
        """
        chat = await self.find(session, chat_jid)
        size = page_size(limit)
        scope = f"messages:{chat.id}"
        before = None
        if cursor:
            timestamp, created_at, row_id = self._cursors.decode(scope, cursor)
            before = (int(timestamp), int(created_at), int(row_id))
        found = list(await self._conversations.page_messages(chat.id, before=before, limit=size + 1))
        page = found[:size]
        reactions: dict[int, list[Reaction]] = {}
        for reaction in await self._messages.reactions([message.id for message in page]):
            reactions.setdefault(reaction.message_id, []).append(reaction)
        next_cursor = None
        if len(found) > size:
            end = page[-1]
            next_cursor = self._cursors.encode(scope, (end.timestamp, end.created_at, end.id))
        names = await self._conversations.names(session.id, {chat.jid, *(m.sender_jid for m in page)})
        return MessagePage(chat, page, next_cursor, reactions, names)
