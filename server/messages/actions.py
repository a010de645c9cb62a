"""What a session does to messages that are there already."""

from collections.abc import Sequence

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.errors import invalid, not_found
from server.messages.composing import check_text, recipient_of
from server.messages.recording import Shown
from server.messages.results import SendResult, SendStatus, outcome_unknown, refused
from server.messages.sending import Message, Sending
from server.sessions.service import Sessions
from server.store.arrival_records import MessageAct, NewEdit, NewReaction, NewRevoke, NewVote, OpenDeed
from server.store.conversations import ConversationRepository
from server.store.message_actions import MessageRepository
from server.store.records import Session, StoredMessage
from server.whatsapp.content import Content, Edit, Forward, Reaction, Revoke, Target, Text, Vote
from server.whatsapp.jid import Jid, parse_jid
from server.whatsapp.port import OutcomeUnknownError, RefusedError
from server.whatsapp.stored import clock_of, read_content
from server.whatsapp.threads import uninterrupted

EMOJI_LENGTH = 64
"""Characters in a reaction, at most: the longest emoji is a sequence of a few dozen code points."""
REFERENCE = "[{type}]"
"""What stands for a forwarded message that cannot be copied and has no text of its own."""


class Actions:
    """Edits, revokes, forwards, reacts and votes.

    Every action names its message by WhatsApp's id, its chat and, where it matters, its sender; a message
    that is not stored, or was deleted, is NOT_FOUND.
    """

    def __init__(
        self,
        sessions: Sessions,
        sending: Sending,
        conversations: ConversationRepository,
        messages: MessageRepository,
        addresses: Addresses,
        *,
        send_timeout: float,
    ) -> None:
        """Acts through `sessions` on what is stored.

        Args:
            sessions: whose connections are used.
            sending: sends what is forwarded.
            conversations: knows the chats.
            messages: knows their messages.
            addresses: knows who is who.
            send_timeout: seconds that an action may wait for WhatsApp.
        """
        self._sessions = sessions
        self._sending = sending
        self._conversations = conversations
        self._messages = messages
        self._addresses = addresses
        self._send_timeout = send_timeout

    async def edit(self, session: Session, mid: str, *, chat: str, text: str) -> SendResult:
        """Replaces the text of a message that this session sent.

        Raises:
            WagateError: VALIDATION_ERROR for an empty text or a message that is no text; NOT_FOUND for one
                that this session did not send; CONFLICT, WHATSAPP_ERROR, TIMEOUT as for a send.
        """
        to = recipient_of(chat, "chat")
        if (problem := check_text(text)) is not None:
            raise invalid("text", problem)
        message = await self._find(session, to, mid, from_me=True)
        if message.type != "text":
            raise invalid("mid", f"only text messages can be edited, this one is of type {message.type}")
        # What it travelled as is forgotten: it says something else now.
        return await self._act(session, to, Edit(_target(message), text), message, NewEdit(text, b"", ()))

    async def revoke(self, session: Session, mid: str, *, chat: str, sender: str) -> SendResult:
        """Deletes a message for everyone.

        Args:
            session: who asks.
            mid: the message.
            chat: its chat's JID.
            sender: the JID of whoever sent it; "" for the session's own.

        Raises:
            WagateError: NOT_FOUND, VALIDATION_ERROR; CONFLICT, WHATSAPP_ERROR, TIMEOUT as for a send.
        """
        to = recipient_of(chat, "chat")
        message = await self._find(session, to, mid, sender=sender, from_me=None if sender else True)
        return await self._act(session, to, Revoke(_target(message)), message, NewRevoke())

    async def forward(self, session: Session, mid: str, *, chat: str, sender: str, to: str) -> SendResult:
        """Sends a copy of a message to another chat; counts towards the session's rate.

        Raises:
            WagateError: as for a send; NOT_FOUND for an unknown source.
        """
        recipient = recipient_of(to, "to")
        source = await self._find(session, recipient_of(chat, "chat"), mid, sender=sender)
        content: Content
        if read_content(source.content).is_forwardable:
            content = Forward(source.content)
        else:
            content = Text(source.body or REFERENCE.format(type=source.type), forwarded=1)
        appearance = Shown(source.type, source.body) if isinstance(content, Forward) else None
        return await self._sending.send_message(session, Message(recipient, content, appearance))

    async def react(self, session: Session, mid: str, *, chat: str, sender: str, emoji: str) -> SendResult:
        """Reacts to a message, in the place of an earlier reaction.

        Raises:
            WagateError: VALIDATION_ERROR for a missing emoji; NOT_FOUND; CONFLICT, WHATSAPP_ERROR, TIMEOUT
                as for a send.
        """
        if not emoji.strip() or len(emoji) > EMOJI_LENGTH:
            raise invalid("emoji", f"required: an emoji, at most {EMOJI_LENGTH} characters")
        to = recipient_of(chat, "chat")
        message = await self._find(session, to, mid, sender=sender)
        return await self._act(session, to, Reaction(_target(message), emoji), message, NewReaction(emoji))

    async def unreact(self, session: Session, mid: str, *, chat: str, sender: str) -> SendResult:
        """Takes the session's reaction back. Nothing to take back is no error: WhatsApp is told anyway.

        Raises:
            WagateError: NOT_FOUND for the message; CONFLICT, WHATSAPP_ERROR, TIMEOUT as for a send.
        """
        to = recipient_of(chat, "chat")
        message = await self._find(session, to, mid, sender=sender)
        return await self._act(session, to, Reaction(_target(message), ""), message, NewReaction(""))

    async def vote(
        self, session: Session, mid: str, *, chat: str, sender: str, options: Sequence[str]
    ) -> SendResult:
        """Votes in a poll.

        Args:
            session: who votes.
            mid: the poll.
            chat: its chat's JID.
            sender: the JID of whoever asked; "" for anybody.
            options: the complete choice; none takes the vote back.

        Raises:
            WagateError: VALIDATION_ERROR for a message that is no poll, or an option that it does not
                have; NOT_FOUND; CONFLICT, WHATSAPP_ERROR, TIMEOUT as for a send.
        """
        to = recipient_of(chat, "chat")
        message = await self._find(session, to, mid, sender=sender)
        possible = read_content(message.content).options
        if possible is None:
            raise invalid("mid", f"this message is no poll, but of type {message.type}")
        chosen = tuple(dict.fromkeys(options))
        if any(option not in possible for option in chosen):
            raise invalid("options", "not all of these are options of the poll")
        return await self._act(session, to, Vote(_target(message), chosen), message, NewVote(chosen))

    async def _find(
        self, session: Session, chat: Jid, mid: str, *, sender: str = "", from_me: bool | None = None
    ) -> StoredMessage:
        canonical = await self._addresses.canonical(session.id, chat)
        found = await self._conversations.find_chat(session.id, str(canonical))
        author = None
        if sender:
            who = await self._addresses.canonical(session.id, recipient_of(sender, "sender"))
            author = str(who)
        message = (
            None
            if found is None
            else await self._messages.find(found.id, mid, sender_jid=author, from_me=from_me)
        )
        if message is None or message.deleted:
            raise not_found("message")
        return message

    async def _act(
        self, session: Session, to: Jid, content: Content, message: StoredMessage, deed: OpenDeed
    ) -> SendResult:
        return await uninterrupted(self._act_whole(session, to, content, message, deed))

    async def _act_whole(
        self, session: Session, to: Jid, content: Content, message: StoredMessage, deed: OpenDeed
    ) -> SendResult:
        client = self._sessions.client(session)
        try:
            sent = await client.send(to, content, within=self._send_timeout)
        except RefusedError as error:
            raise refused(error) from error
        except OutcomeUnknownError as error:
            raise outcome_unknown() from error
        chat = await self._addresses.canonical(session.id, to)
        act = MessageAct(
            session_id=session.id,
            chat_jid=str(chat),
            wa_message_id=message.wa_message_id,
            sender_jid=message.sender_jid,
            actor_jid=session.wa_jid or "",
            # The clock inside: should another device tell of this act, it is known to be the same.
            timestamp=clock_of(sent.content) or sent.timestamp,
            at=now_ms(),
            deed=deed,
            is_newest=True,
        )
        await self._conversations.store([act])
        return SendResult(SendStatus.SENT, sent.timestamp, sent.id)


def _target(message: StoredMessage) -> Target:
    return Target(message.wa_message_id, parse_jid(message.sender_jid), message.from_me)
