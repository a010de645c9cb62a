"""Reads a piece of a chunk of history; see `server.whatsapp.history_pieces`."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.message import DecodeError
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, MessageContextInfo
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import UserReceipt, WebMessageInfo

from server.whatsapp.acts import Envelope, act_of
from server.whatsapp.history import (
    HistoryKind,
    HistoryPiece,
    PastChat,
    PastMessage,
    PastReaction,
    PastReceipt,
    PastVote,
)
from server.whatsapp.incoming import Edited, Reacted, Revoked
from server.whatsapp.jid import GROUP, LID, PHONE, Jid
from server.whatsapp.stored import UNKNOWN, describe, kind_of, secret_of, unwrap, with_secret_of

_CHATS: Final = frozenset({PHONE, LID, GROUP})
"""Servers of chats that the stored copy has: people and groups (REST API, Objects, Chat)."""
_REVOKED: Final = frozenset({WebMessageInfo.REVOKE, WebMessageInfo.ADMIN_REVOKE})
_OWN: Final = Jid("", "")
"""Stands for the account itself, whose name history leaves out."""
_LATEST_SECONDS: Final = 100_000_000_000
"""The end of a mute that is greater than this is no number of seconds."""
_FOREVER: Final = 253_402_300_799_000
"""The end of the year 9999, in place of a mute without one; epoch milliseconds."""
_ACK_LEVELS: Final = {
    WebMessageInfo.ERROR: -1,
    WebMessageInfo.PENDING: 0,
    WebMessageInfo.SERVER_ACK: 1,
    WebMessageInfo.DELIVERY_ACK: 2,
    WebMessageInfo.READ: 3,
    WebMessageInfo.PLAYED: 4,
}


def kind_of_history(kind: HistorySync.HistorySyncType.ValueType) -> HistoryKind:
    """The word for a `HistorySyncType`."""
    return HistoryKind(HistorySync.HistorySyncType.Name(kind).lower())


def read_piece(piece: bytes) -> HistoryPiece:
    """Says what a piece of history is.

    What it holds beside chats with people and groups is left out, and so are single messages that are none
    or that cannot be read.

    Args:
        piece: of `server.whatsapp.history_pieces.pieces_of`.

    Raises:
        ValueError: it is no piece of history.
    """
    try:
        history = HistorySync.FromString(piece)
    except DecodeError as error:
        raise ValueError(f"no piece of history: {error}") from error
    names = ((_jid(name.ID), name.pushname) for name in history.pushnames)
    return HistoryPiece(
        kind=kind_of_history(history.syncType),
        addresses=tuple(
            (lid, phone)
            for pair in history.phoneNumberToLidMappings
            if (lid := _jid(pair.lidJID, LID)) is not None and (phone := _jid(pair.pnJID, PHONE)) is not None
        ),
        names=tuple((jid, name) for jid, name in names if jid is not None and name),
        chats=tuple(chat for one in history.conversations if (chat := _chat(one)) is not None),
    )


def _chat(conversation: Conversation) -> PastChat | None:
    jid = _jid(conversation.ID)
    if jid is None or jid.server not in _CHATS:
        return None
    alternative = None
    if jid.is_lid:
        alternative = _jid(conversation.pnJID, PHONE)
    elif not jid.is_group:
        alternative = _jid(conversation.lidJID, LID)
    messages: list[PastMessage] = []
    acts: list[Reacted] = []
    for entry in conversation.messages:
        read = _entry(entry.message, jid, alternative)
        if isinstance(read, PastMessage):
            messages.append(read)
        elif read is not None:
            acts.append(read)
    seconds = conversation.conversationTimestamp or conversation.lastMsgTimestamp
    return PastChat(
        jid=jid,
        alternative=alternative,
        name=conversation.name or conversation.displayName,
        unread_count=conversation.unreadCount,
        archived=conversation.archived,
        pinned=conversation.pinned > 0,
        muted_until=_milliseconds(conversation.muteEndTime) or None,
        last_message_at=seconds * 1000 or None,
        messages=tuple(messages),
        acts=tuple(acts),
    )


def _milliseconds(end: int) -> int:
    """The end of a mute, which phones give in seconds and newer ones in milliseconds; -1 is for ever."""
    if end >= 1 << 63:
        return _FOREVER
    return end if end > _LATEST_SECONDS else end * 1000


def _entry(web: WebMessageInfo, chat: Jid, alternative: Jid | None) -> PastMessage | Reacted | None:
    sender = _sender(web.key, web.participant, chat)
    if not web.key.ID or (sender is None and not web.key.fromMe):
        return None
    inner, _ = unwrap(web.message)
    if web.messageStubType in _REVOKED:
        return _deleted(web, web.key.ID, sender)
    if kind_of(inner) is not None:
        return _message(web, sender)
    return _told_alone(web, chat, alternative, sender)


def _told_alone(
    web: WebMessageInfo, chat: Jid, alternative: Jid | None, sender: Jid | None
) -> PastMessage | Reacted | None:
    """What was done to a message, where it stands in a place of its own."""
    act = act_of(web.message, _envelope(web, chat, alternative, sender))
    match act:
        case Edited():
            return _edited(web, act, sender)
        case Revoked():
            writer = None if act.target_sender == _OWN else act.target_sender
            return _deleted(web, act.target_id, writer)
        case Reacted():
            return act
        case _:
            return None


def _envelope(web: WebMessageInfo, chat: Jid, alternative: Jid | None, sender: Jid | None) -> Envelope:
    return Envelope(
        chat=chat,
        chat_alternative=alternative,
        sender=sender or _OWN,
        sender_alternative=alternative if sender == chat else None,
        from_me=web.key.fromMe,
        timestamp=web.messageTimestamp * 1000,
        # The phone has judged it when it came.
        by_admin=True,
    )


def _message(web: WebMessageInfo, sender: Jid | None) -> PastMessage:
    described = describe(web.message)
    return PastMessage(
        id=web.key.ID,
        sender=sender,
        sender_name=web.pushName,
        type=described.type,
        body=described.text,
        timestamp=web.messageTimestamp * 1000,
        content=_content(web),
        quoted_id=described.quoted_id,
        mentions=described.mentions,
        ack_level=_ack_level(web),
        edited_at=None,
        deleted=False,
        reactions=tuple(_reactions(web)),
        votes=tuple(_votes(web, described.options)) if described.options else (),
        receipts=tuple(_receipts(web)),
    )


def _content(web: WebMessageInfo) -> bytes:
    """What a message travelled as, with its secret: the phone keeps that beside it, and votes need it."""
    content: bytes = web.message.SerializeToString()
    if not web.messageSecret or secret_of(content):
        return content
    beside = Message(messageContextInfo=MessageContextInfo(messageSecret=web.messageSecret))
    return with_secret_of(beside.SerializeToString(), content)


def _edited(web: WebMessageInfo, edit: Edited, sender: Jid | None) -> PastMessage:
    """What was edited stands in the history as its edit, in the place of what it said at first."""
    return PastMessage(
        id=edit.target_id,
        sender=sender,
        sender_name=web.pushName,
        type="text" if edit.content else UNKNOWN,
        body=edit.body,
        timestamp=web.messageTimestamp * 1000,
        content=edit.content,
        quoted_id=None,
        mentions=edit.mentions,
        ack_level=_ack_level(web),
        edited_at=edit.timestamp,
        deleted=False,
        reactions=tuple(_reactions(web)),
        receipts=tuple(_receipts(web)),
    )


def _deleted(web: WebMessageInfo, message_id: str, sender: Jid | None) -> PastMessage:
    return PastMessage(
        id=message_id,
        sender=sender,
        sender_name=web.pushName,
        type=UNKNOWN,
        body="",
        timestamp=web.messageTimestamp * 1000,
        content=b"",
        quoted_id=None,
        mentions=(),
        ack_level=_ack_level(web),
        edited_at=None,
        deleted=True,
    )


def _ack_level(web: WebMessageInfo) -> int:
    if not web.key.fromMe:
        return 0
    told = _ACK_LEVELS[web.status] if web.HasField("status") else 1
    return max([told, *(_reached(receipt)[0] for receipt in web.userReceipt)])


def _reached(receipt: UserReceipt) -> tuple[int, int]:
    """The level that somebody's device told, and when (epoch seconds)."""
    if receipt.playedTimestamp > 0:
        return 4, receipt.playedTimestamp
    if receipt.readTimestamp > 0:
        return 3, receipt.readTimestamp
    return (2, receipt.receiptTimestamp) if receipt.receiptTimestamp > 0 else (0, 0)


def _receipts(web: WebMessageInfo) -> Iterator[PastReceipt]:
    chat = _jid(web.key.remoteJID)
    if not web.key.fromMe or chat is None or not chat.is_group:
        return
    for receipt in web.userReceipt:
        participant = _jid(receipt.userJID)
        level, seconds = _reached(receipt)
        if level and participant is not None:
            yield PastReceipt(participant, level, seconds * 1000)


def _reactions(web: WebMessageInfo) -> Iterator[PastReaction]:
    for reaction in web.reactions:
        reactor = _who(reaction.key, web.key)
        if reaction.text and (reactor is not None or reaction.key.fromMe):
            yield PastReaction(reactor, reaction.text, reaction.senderTimestampMS)


def _votes(web: WebMessageInfo, options: Sequence[str]) -> Iterator[PastVote]:
    named = {hashlib.sha256(option.encode()).digest(): option for option in options}
    for update in web.pollUpdates:
        voter = _who(update.pollUpdateMessageKey, web.key)
        chosen = tuple(named[option] for option in update.vote.selectedOptions if option in named)
        if voter is not None or update.pollUpdateMessageKey.fromMe:
            yield PastVote(voter, chosen, update.senderTimestampMS)


def _who(key: MessageKey, about: MessageKey) -> Jid | None:
    """Who sent what a key names, in the chat of the message that it is about."""
    chat = _jid(about.remoteJID)
    return None if chat is None else _sender(key, "", chat)


def _sender(key: MessageKey, participant: str, chat: Jid) -> Jid | None:
    """Who wrote what a key names: None for the account itself, and where it cannot be told."""
    if key.fromMe:
        return None
    return _jid(participant or key.participant) if chat.is_group else chat


def _jid(text: str, kind: str | None = None) -> Jid | None:
    """A JID without its device part; None for what is none, or of another kind than is expected."""
    user, _, server = text.partition("@")
    user = user.partition(":")[0]
    return Jid(user, server) if user and server and kind in (None, server) else None
