"""What callers change about chats: in the stored copy, and on the phone where the session is connected."""

import logging
from dataclasses import dataclass
from typing import Final

from server.chats.service import Chats
from server.clock import now_ms
from server.errors import Code, WagateError, invalid
from server.sessions.service import Sessions
from server.store.conversations import ConversationRepository
from server.store.message_actions import MessageRepository
from server.store.records import Chat, Session
from server.whatsapp.jid import parse_jid
from server.whatsapp.port import (
    ChatChange,
    ChatState,
    Client,
    LastMessage,
    OutcomeUnknownError,
    RefusedError,
)
from server.whatsapp.refusals import Refusal

log = logging.getLogger(__name__)

_CANNOT_TELL: Final = frozenset({Refusal.UNSUPPORTED, Refusal.KEY_MISSING})
"""The device has no way to tell the phone (docs/decisions/0130), or not yet: as if it were not connected."""
LATEST_MS: Final = 253_402_300_799_999
"""The end of the year 9999: times behind it are mistakes."""


@dataclass(frozen=True, slots=True)
class ChatUpdate:
    """What a caller wants changed; None leaves a part as it is.

    Attributes:
        muted_until: epoch milliseconds.
        unmute: True ends the mute, whatever `muted_until` says.
    """

    archived: bool | None = None
    pinned: bool | None = None
    muted_until: int | None = None
    unmute: bool | None = None


class ChatChanges:
    """Archives, pins, mutes, reads and deletes chats."""

    def __init__(
        self,
        sessions: Sessions,
        chats: Chats,
        conversations: ConversationRepository,
        messages: MessageRepository,
        *,
        within: float,
    ) -> None:
        """Changes `conversations`, and the phone by the connections of `sessions`.

        Args:
            sessions: whose connections are used.
            chats: finds chats.
            conversations: the stored copy.
            messages: knows a chat's newest message.
            within: seconds that WhatsApp may take.
        """
        self._sessions = sessions
        self._chats = chats
        self._conversations = conversations
        self._messages = messages
        self._within = within

    async def update(self, session: Session, chat_jid: str, update: ChatUpdate) -> Chat:
        """Changes a chat; returns it as it stands then.

        WhatsApp is told first: what it refuses does not change the stored copy either. Where there is no
        way to tell it, the stored copy changes alone.

        Raises:
            WagateError: NOT_FOUND; VALIDATION_ERROR for parts that exclude each other; WHATSAPP_ERROR and
                TIMEOUT where the phone could not be told.
        """
        chat = await self._chats.find(session, chat_jid)
        change = _checked(update)
        if change is None:
            return chat
        client = self._sessions.connected_client(session)
        if client is not None:
            await self._tell(client, chat, change)
        changes: dict[str, object] = {}
        if change.archived is not None:
            changes["archived"] = change.archived
            if change.archived:
                # An archived chat is not pinned: WhatsApp takes the pin away by itself.
                changes["pinned"] = False
        if change.pinned is not None:
            changes["pinned"] = change.pinned
        if change.muted_until is not None:
            changes["muted_until"] = change.muted_until or None
        await self._conversations.change_chat(chat.id, changes)
        return await self._chats.find(session, chat_jid)

    async def read(self, session: Session, chat_jid: str) -> Chat:
        """Sets the unread counter to zero; nobody is told.

        Raises:
            WagateError: NOT_FOUND.
        """
        chat = await self._chats.find(session, chat_jid)
        await self._conversations.change_chat(chat.id, {"unread_count": 0})
        return await self._chats.find(session, chat_jid)

    async def delete(self, session: Session, chat_jid: str) -> None:
        """Deletes a chat and its messages from the stored copy alone.

        Raises:
            WagateError: NOT_FOUND.
        """
        chat = await self._chats.find(session, chat_jid)
        await self._conversations.delete_chat(chat.id)

    async def show_state(self, session: Session, chat_jid: str, state: ChatState) -> None:
        """Shows the other side that this one is typing, recording, or neither.

        Raises:
            WagateError: NOT_IMPLEMENTED where the session is not connected; VALIDATION_ERROR for a JID that
                is none.
        """
        try:
            chat = parse_jid(chat_jid)
        except ValueError as error:
            raise invalid("cid", str(error)) from None
        client = self._sessions.live_client(session)
        try:
            await client.show_chat_state(chat, state)
        except RefusedError as error:
            raise not_done(error) from error

    async def _tell(self, client: Client, chat: Chat, change: ChatChange) -> None:
        newest = await self._messages.newest(chat.id)
        last = None
        if newest is not None:
            last = LastMessage(
                newest.wa_message_id, parse_jid(newest.sender_jid), newest.from_me, newest.timestamp
            )
        try:
            await client.change_chat(parse_jid(chat.jid), change, last, within=self._within)
        except RefusedError as error:
            if error.refusal not in _CANNOT_TELL:
                raise not_done(error) from error
            log.info("a chat of session %s changes here alone: %s", chat.session_id, error)
        except OutcomeUnknownError as error:
            raise WagateError(
                Code.TIMEOUT,
                "WhatsApp did not answer in time: the phone may show the change; the stored copy does not",
                {"outcome": "indeterminate"},
            ) from error


def not_done(error: RefusedError) -> WagateError:
    """What a caller is told of a live action that was refused."""
    if error.refusal is Refusal.NOT_CONNECTED:
        return WagateError(
            Code.NOT_IMPLEMENTED, "the session lost its connection meanwhile", {"status": "starting"}
        )
    return WagateError(
        Code.WHATSAPP_ERROR,
        f"WhatsApp refused: {error.refusal}",
        {"reason": str(error.refusal), "text": str(error)},
    )


def _checked(update: ChatUpdate) -> ChatChange | None:
    if update.archived and update.pinned:
        raise invalid("pinned", "an archived chat cannot be pinned")
    muted_until = update.muted_until
    if update.unmute:
        muted_until = 0
    elif muted_until is not None and not now_ms() < muted_until <= LATEST_MS:
        raise invalid("mutedUntil", "must be a time to come, in epoch milliseconds")
    change = ChatChange(update.archived, update.pinned, muted_until)
    return None if change == ChatChange() else change
