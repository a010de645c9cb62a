"""What a session receives, into the stored copy and the event log."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from server.chats.addresses import Addresses
from server.chats.happenings import Happenings
from server.clock import now_ms
from server.store.arrival_records import (
    Arrival,
    MessageAct,
    NewEdit,
    NewMessage,
    NewReaction,
    NewReceipt,
    NewRevoke,
    NewSealed,
    OpenDeed,
    learned_from,
)
from server.store.conversations import ConversationRepository, SessionGoneError
from server.store.failures import DatabaseFailure
from server.store.records import Session
from server.whatsapp.acts import Act
from server.whatsapp.happenings import CallTold, GroupChanged, PresenceShown
from server.whatsapp.incoming import (
    Edited,
    Reacted,
    Receipt,
    ReceiptKind,
    Received,
    Repeated,
    Revoked,
    Sealed,
)
from server.whatsapp.jid import Jid
from server.whatsapp.port import Incoming, Live

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Between attempts to store while the database does not take it."""
ATTEMPTS: Final = 3
"""Attempts at what fails although the database works."""

_ACKS: Final = {ReceiptKind.DELIVERED: 2, ReceiptKind.READ: 3, ReceiptKind.PLAYED: 4}
"""The API's ack levels (REST API, Objects, Message)."""


class Ingest:
    """Stores what is received, in order; see `server.sessions.inbox.Ingest`."""

    def __init__(self, conversations: ConversationRepository, addresses: Addresses) -> None:
        """Stores into `conversations`."""
        self._conversations = conversations
        self._addresses = addresses
        self._happenings = Happenings(addresses)

    async def __call__(self, session: Session, received: Sequence[Incoming]) -> Sequence[Repeated]:
        """Returns when all is stored, or is set aside: the messages that came again and are not stored.

        A database that is away is waited for, and holds this session's further events back: they could be
        decrypted only once. What cannot be stored though the database works is tried a few times and then
        set aside, with a line in the log, so that it does not hold them back for ever. History is left out:
        see `server.chats.histories`.
        """
        await self._store_all(session, [one for one in received if isinstance(one, Live)])
        repeated = [one for one in received if isinstance(one, Repeated)]
        return [one for one in repeated if not await self._is_known(session, one)]

    async def _is_known(self, session: Session, repeated: Repeated) -> bool:
        own = {_user(jid) for jid in (session.wa_jid, session.wa_lid) if jid is not None}
        if _user(repeated.chat) in own:
            # What the account's devices tell each other is never stored, and its phone would not repeat it.
            return True
        while True:
            try:
                return await self._conversations.has_message(session.id, repeated.id)
            except DatabaseFailure as error:
                log.warning("a message of session %s waits: %s", session.id, error.message)
            await asyncio.sleep(RETRY_SECONDS)  # nothing tells when a database is back

    async def _store_all(self, session: Session, waiting: Sequence[Live]) -> None:
        attempt = 1
        while waiting:
            try:
                await self._store(session, waiting)
            except SessionGoneError:
                log.warning("%d events of session %s came after its end", len(waiting), session.id)
                return
            except DatabaseFailure as error:
                log.warning("%d events of session %s wait: %s", len(waiting), session.id, error.message)
            except Exception:
                log.warning("events of session %s are stored one by one", session.id, exc_info=True)
                waiting = await self._store_each(session, waiting, last=attempt == ATTEMPTS)
                attempt += 1
            else:
                return
            await asyncio.sleep(RETRY_SECONDS if waiting else 0)  # nothing tells when a database is back

    async def _store_each(self, session: Session, received: Sequence[Live], *, last: bool) -> Sequence[Live]:
        """Stores one by one; returns those that are to be tried again."""
        again = list(received)
        for incoming in received:
            try:
                await self._store(session, [incoming])
            except (SessionGoneError, DatabaseFailure):
                return again
            except Exception:
                if not last:
                    continue
                log.exception("%s of session %s cannot be stored; set aside", _name(incoming), session.id)
            again.remove(incoming)
        return again

    async def _store(self, session: Session, received: Sequence[Live]) -> None:
        arrivals: list[Arrival] = []
        try:
            for incoming in received:
                arrivals += await self._stored_forms(session, incoming)
            results = await self._conversations.store(arrivals)
        except BaseException:
            self._addresses.forget(session.id, [lid for a in arrivals for lid, _ in learned_from(a)])
            raise
        for arrival, row_id in zip(arrivals, results, strict=True):
            if row_id is None and isinstance(arrival, MessageAct):
                log.debug("an act waits for message %s of session %s", arrival.wa_message_id, session.id)

    async def _stored_forms(self, session: Session, incoming: Live) -> Sequence[Arrival]:
        match incoming:
            case Received():
                return [await self._message(session, incoming)]
            case Receipt():
                return await self._receipts(session, incoming)
            case PresenceShown() | GroupChanged() | CallTold():
                return [await self._happenings.stored_form(session, incoming)]
            case _:
                return [await self._act(session, incoming)]

    async def _message(self, session: Session, message: Received) -> NewMessage:
        chat = await self._addresses.canonical(session.id, message.chat, message.chat_alternative)
        sender = await self._addresses.canonical(session.id, message.sender, message.sender_alternative)
        mentions = await self._mentions(session, message.mentions)
        # Last, because it is remembered: what fails before must not lose it.
        lid, phone_jid = self._news(session, message)
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
            lid=lid,
            phone_jid=phone_jid,
            quoted_id=message.quoted_id,
            mentions=mentions,
        )

    async def _act(self, session: Session, act: Act) -> MessageAct:
        chat = await self._addresses.canonical(session.id, act.chat, act.chat_alternative)
        actor = await self._person(session, act.sender, act.sender_alternative, from_me=act.from_me)
        if act.target_sender is None:
            sender = session.wa_jid or ""
        elif act.target_sender == act.sender:
            sender = actor
        else:
            sender = await self._person(session, act.target_sender)
        deed: OpenDeed | NewSealed
        match act:
            case Edited():
                deed = NewEdit(act.body, act.content, await self._mentions(session, act.mentions))
            case Revoked():
                deed = NewRevoke()
            case Reacted():
                deed = NewReaction(act.emoji)
            case Sealed():
                deed = _sealed(session, act, sender, actor)
        lid, phone_jid = self._news(session, act)
        return MessageAct(
            session_id=session.id,
            chat_jid=str(chat),
            wa_message_id=act.target_id,
            sender_jid=sender,
            actor_jid=actor,
            timestamp=act.timestamp,
            at=now_ms(),
            deed=deed,
            lid=lid,
            phone_jid=phone_jid,
        )

    async def _receipts(self, session: Session, receipt: Receipt) -> Sequence[NewReceipt]:
        chat = await self._addresses.canonical(session.id, receipt.chat, receipt.chat_alternative)
        participant = await self._person(session, receipt.participant, receipt.participant_alternative)
        lid, phone_jid = self._addresses.news(
            session.id, receipt.participant, receipt.participant_alternative
        ) or (None, None)
        now = now_ms()
        return [
            NewReceipt(
                session_id=session.id,
                chat_jid=str(chat),
                wa_message_id=message_id,
                participant_jid=participant,
                ack_level=_ACKS[receipt.kind],
                timestamp=receipt.timestamp,
                at=now,
                lid=lid,
                phone_jid=phone_jid,
            )
            for message_id in receipt.ids
        ]

    async def _person(
        self, session: Session, jid: Jid, alternative: Jid | None = None, *, from_me: bool = False
    ) -> str:
        """The canonical JID of a person; the account's own is that of its messages."""
        if session.wa_jid and (from_me or str(jid) in (session.wa_jid, session.wa_lid)):
            return session.wa_jid
        return str(await self._addresses.canonical(session.id, jid, alternative))

    async def _mentions(self, session: Session, mentions: Sequence[Jid]) -> list[str]:
        return [str(await self._addresses.canonical(session.id, jid)) for jid in mentions]

    def _news(self, session: Session, incoming: Received | Act) -> tuple[str | None, str | None]:
        """The pair of addresses that came along, where it is worth storing."""
        # In a chat with one person that person's, whoever wrote; in a group the writer's.
        learned = (incoming.chat, incoming.chat_alternative)
        if incoming.chat.is_group:
            learned = (incoming.sender, incoming.sender_alternative)
        return self._addresses.news(session.id, *learned) or (None, None)


def _sealed(session: Session, act: Sealed, sender: str, actor: str) -> NewSealed:
    """A sealed act with every name that its two people may have been given."""
    own = [name for name in (session.wa_jid, session.wa_lid) if name]

    def names(jids: Iterable[Jid | None], canonical: str) -> list[str]:
        found = [*(str(jid) for jid in jids if jid is not None), canonical]
        return list(dict.fromkeys([*found, *own] if canonical == session.wa_jid else found))

    return NewSealed(
        use=str(act.seal),
        iv=act.iv,
        payload=act.payload,
        authors=names((*act.authors, act.target_sender), sender),
        actors=names((act.sender, act.sender_alternative), actor),
    )


def _name(incoming: Live) -> str:
    """How the log calls what could not be stored."""
    match incoming:
        case Received(id=message_id):
            return f"message {message_id}"
        case Receipt(ids=ids):
            return f"a receipt for message {ids[0]}"
        case PresenceShown() | GroupChanged() | CallTold():
            return f"a {type(incoming).__name__}"
        case _:
            return f"an act on message {incoming.target_id}"


def _user(jid: str) -> str:
    """The user part of a JID, without a device."""
    return jid.partition("@")[0].partition(":")[0]
