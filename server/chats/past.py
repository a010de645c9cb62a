"""From what a piece of history says to what is stored of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from server.store.arrival_records import MessageAct, NewMessage, NewReaction, NewReceipt, NewVote
from server.store.history_records import KeptPiece, OldChat, OldMessage, Past
from server.whatsapp.history import HistoryKind, HistoryPiece, PastChat, PastMessage
from server.whatsapp.incoming import Reacted
from server.whatsapp.jid import Jid


def past_of(kept: KeptPiece, said: HistoryPiece) -> Past:
    """What is to be stored of a piece of history.

    Args:
        kept: the piece as it was kept.
        said: what it says.
    """
    return _Reading(kept).past(said)


@dataclass(frozen=True, slots=True)
class _Reading:
    kept: KeptPiece

    def past(self, said: HistoryPiece) -> Past:
        pairs = [(str(lid), str(phone)) for lid, phone in said.addresses]
        for chat in said.chats:
            pairs += _pair(chat)
        return Past(
            session_id=self.kept.session_id,
            at=self.kept.received_at,
            # Later chunks repeat how the chats stood, which may have changed here meanwhile.
            chats_as_now=said.kind is HistoryKind.INITIAL_BOOTSTRAP,
            addresses=pairs,
            names=[(self._person(jid), name) for jid, name in said.names],
            chats=[_chat(chat) for chat in said.chats],
            messages=[self._message(chat, message) for chat in said.chats for message in chat.messages],
            changes=[change for chat in said.chats for change in self._changes(chat)],
        )

    def _message(self, chat: PastChat, message: PastMessage) -> OldMessage:
        return OldMessage(
            NewMessage(
                session_id=self.kept.session_id,
                chat_jid=str(chat.jid),
                chat_name="",
                wa_message_id=message.id,
                sender_jid=self._person(message.sender),
                from_me=self._is_own(message.sender),
                type=message.type,
                body=message.body,
                ack_level=message.ack_level,
                error=None,
                timestamp=message.timestamp,
                created_at=self.kept.received_at,
                content=message.content,
                quoted_id=message.quoted_id,
                mentions=[self._person(jid) for jid in message.mentions],
            ),
            edited_at=message.edited_at,
            deleted=message.deleted,
        )

    def _changes(self, chat: PastChat) -> Iterator[MessageAct | NewReceipt]:
        for message in chat.messages:
            target = (message.id, self._person(message.sender))
            for reaction in message.reactions:
                deed = NewReaction(reaction.emoji)
                yield self._act(chat, target, self._person(reaction.reactor), deed, reaction.timestamp)
            for vote in message.votes:
                yield self._act(chat, target, self._person(vote.voter), NewVote(vote.options), vote.timestamp)
            for receipt in message.receipts:
                yield NewReceipt(
                    session_id=self.kept.session_id,
                    chat_jid=str(chat.jid),
                    wa_message_id=message.id,
                    participant_jid=self._person(receipt.participant),
                    ack_level=receipt.ack_level,
                    timestamp=receipt.timestamp,
                    at=self.kept.received_at,
                )
        for act in chat.acts:
            yield self._told_alone(chat, act)

    def _told_alone(self, chat: PastChat, act: Reacted) -> MessageAct:
        reactor = self._person(None if act.from_me else act.sender)
        if act.target_sender is None:
            sender = self.kept.own_jid
        elif act.target_sender == act.sender:
            sender = reactor
        else:
            sender = self._person(act.target_sender)
        return self._act(chat, (act.target_id, sender), reactor, NewReaction(act.emoji), act.timestamp)

    def _act(
        self, chat: PastChat, target: tuple[str, str], actor: str, deed: NewReaction | NewVote, timestamp: int
    ) -> MessageAct:
        message_id, sender = target
        return MessageAct(
            session_id=self.kept.session_id,
            chat_jid=str(chat.jid),
            wa_message_id=message_id,
            sender_jid=sender,
            actor_jid=actor,
            timestamp=timestamp,
            at=self.kept.received_at,
            deed=deed,
        )

    def _person(self, jid: Jid | None) -> str:
        """The JID of a person as the phone names them; the account's own is that of its messages."""
        return self.kept.own_jid if self._is_own(jid) else str(jid)

    def _is_own(self, jid: Jid | None) -> bool:
        return jid is None or str(jid) in (self.kept.own_jid, self.kept.own_lid)


def _pair(chat: PastChat) -> list[tuple[str, str]]:
    if chat.alternative is None:
        return []
    lid, phone = (chat.jid, chat.alternative) if chat.jid.is_lid else (chat.alternative, chat.jid)
    return [(str(lid), str(phone))]


def _chat(chat: PastChat) -> OldChat:
    return OldChat(
        jid=str(chat.jid),
        name=chat.name,
        unread_count=chat.unread_count,
        archived=chat.archived,
        pinned=chat.pinned,
        muted_until=chat.muted_until,
        last_message_at=chat.last_message_at,
    )
