"""Deletes messages for callers of the WUTS API; see `server.messages.deletion`."""

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.errors import Code, WagateError, not_found
from server.messages.actions import Actions
from server.messages.deletion import Deleted, Deletion, TooLateError
from server.sessions.service import Sessions
from server.store.conversations import ConversationRepository
from server.store.message_actions import MessageRepository
from server.store.records import Session, StoredMessage
from server.whatsapp.jid import parse_jid

_HOUR_MS = 3_600_000


class Deleting:
    """Revokes messages on WhatsApp, or hides them here. A `RevokeForWuts`."""

    def __init__(
        self,
        sessions: Sessions,
        actions: Actions,
        conversations: ConversationRepository,
        messages: MessageRepository,
        addresses: Addresses,
        *,
        revoke_hours: float,
    ) -> None:
        """Deletes what is stored in `conversations` and `messages`.

        Args:
            sessions: knows the callers' sessions.
            actions: revokes.
            conversations: knows the chats.
            messages: knows their messages.
            addresses: knows who is who.
            revoke_hours: how long after sending WhatsApp lets a message be revoked.
        """
        self._sessions = sessions
        self._actions = actions
        self._conversations = conversations
        self._messages = messages
        self._addresses = addresses
        self._limit_ms = int(revoke_hours * _HOUR_MS)

    async def delete(self, deletion: Deletion) -> Deleted:
        """See `server.messages.deletion.RevokeForWuts`."""
        session = await self._sessions.look_up(deletion.session_id)
        if session is None or session.organization_id != deletion.organization_id:
            raise not_found("session")
        message = await self._find(session, deletion)
        if deletion.own_only and not message.from_me:
            raise WagateError(Code.FORBIDDEN, "this session did not send that message")
        in_time = now_ms() - message.timestamp <= self._limit_ms
        if not deletion.for_everyone:
            await self._messages.hide(message.id)
        elif not message.deleted:
            if not in_time:
                raise TooLateError
            sender = "" if message.from_me else message.sender_jid
            await self._actions.revoke(session, deletion.message_id, chat=deletion.chat_jid, sender=sender)
        return Deleted(message.timestamp, now_ms(), within_time_limit=in_time)

    async def _find(self, session: Session, deletion: Deletion) -> StoredMessage:
        chat_jid = await self._addresses.canonical(session.id, parse_jid(deletion.chat_jid))
        chat = await self._conversations.find_chat(session.id, str(chat_jid))
        message = None
        if chat is not None:
            # What is hidden already can be deleted again: that changes nothing, and is no error.
            message = await self._messages.find(chat.id, deletion.message_id, hidden_too=True)
        if message is None:
            raise not_found("message")
        return message
