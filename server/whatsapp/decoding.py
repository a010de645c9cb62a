"""From WhatsApp's protobufs to the port's events."""

import logging
from dataclasses import dataclass
from typing import Final

from neonize.proto.Neonize_pb2 import JID, MessageSource
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.Neonize_pb2 import UndecryptableMessage as UndecryptableEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message

from server.whatsapp.acts import Act, Envelope, act_of
from server.whatsapp.incoming import Receipt, ReceiptKind, Received
from server.whatsapp.jid import GROUP, LID, PHONE, Jid
from server.whatsapp.stored import UNDECRYPTABLE, describe, is_message

log = logging.getLogger(__name__)

_CHATS: Final = frozenset({PHONE, LID, GROUP})
"""Servers of the JIDs that chats of the stored copy have."""
_BROADCAST: Final = "broadcast"
_STATUS: Final = "status"
"""The user of the JID `status@broadcast`."""
_ADMIN_REVOKE: Final = "8"
"""How WhatsApp marks what a group's admin deletes of somebody else."""
_PEER: Final = "peer"
"""The category of what devices of the account tell each other."""
_RECEIPTS: Final = {
    # A device that nobody looks at tells INACTIVE: WhatsApp's own apps show no delivery for it.
    ReceiptEvent.DELIVERED: ReceiptKind.DELIVERED,
    ReceiptEvent.READ: ReceiptKind.READ,
    ReceiptEvent.PLAYED: ReceiptKind.PLAYED,
}


def decode_message(event: MessageEvent) -> Received | None:
    """Reads an incoming message.

    Returns:
        The event, or None for what is no message of its own (keys, edits, reactions, votes).
    """
    if not is_message(event.Message):
        return None
    place = place_of(event.Info.MessageSource)
    if place is None:
        return None
    described = describe(event.Message)
    return Received(
        id=event.Info.ID,
        chat=place.chat,
        chat_alternative=place.chat_alternative,
        sender=place.sender,
        sender_alternative=place.sender_alternative,
        from_me=event.Info.MessageSource.IsFromMe,
        sender_name=event.Info.Pushname,
        type=described.type,
        body=described.text,
        timestamp=event.Info.Timestamp,
        content=_content(event),
        quoted_id=described.quoted_id,
        mentions=described.mentions,
    )


def decode_undecryptable(event: UndecryptableEvent) -> Received | None:
    """Reads that a message came which could not be.

    Returns:
        The event, or None for what its sender would not have shown as a message: acts on other messages, and
        what the account's own devices tell each other.
    """
    info = event.Info
    place = place_of(info.MessageSource)
    hidden = event.DecryptFailMode == UndecryptableEvent.DECRYPT_FAIL_HIDE
    if hidden or info.Edit or info.Category == _PEER or place is None:
        return None
    return Received(
        id=info.ID,
        chat=place.chat,
        chat_alternative=place.chat_alternative,
        sender=place.sender,
        sender_alternative=place.sender_alternative,
        from_me=info.MessageSource.IsFromMe,
        sender_name=info.Pushname,
        type=UNDECRYPTABLE,
        body="",
        timestamp=info.Timestamp,
        content=b"",
    )


def decode_act(event: MessageEvent) -> Act | None:
    """Reads what an incoming message does to another one; None where that is nothing."""
    place = place_of(event.Info.MessageSource)
    if place is None:
        return None
    envelope = Envelope(
        chat=place.chat,
        chat_alternative=place.chat_alternative,
        sender=place.sender,
        sender_alternative=place.sender_alternative,
        from_me=event.Info.MessageSource.IsFromMe,
        timestamp=event.Info.Timestamp,
        by_admin=event.Info.Edit == _ADMIN_REVOKE,
    )
    return act_of(event.Message, envelope)


def decode_receipt(event: ReceiptEvent) -> Receipt | None:
    """Reads how far messages have come; None for what says nothing about that, or comes from the account."""
    source = event.MessageSource
    kind = _RECEIPTS.get(event.Type)
    place = place_of(source)
    if kind is None or place is None or source.IsFromMe or not event.MessageIDs:
        return None
    return Receipt(
        ids=tuple(event.MessageIDs),
        kind=kind,
        chat=place.chat,
        chat_alternative=place.chat_alternative,
        participant=place.sender,
        participant_alternative=place.sender_alternative,
        timestamp=event.Timestamp * 1000,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where something came in, and from whom; as in `incoming.Received`."""

    chat: Jid
    chat_alternative: Jid | None
    sender: Jid
    sender_alternative: Jid | None


def place_of(source: MessageSource) -> Place | None:
    """Where something belongs, or None for what belongs to no chat with a person or group.

    Status updates, channels and chats with WhatsApp's bots are left out (docs/decisions/0348). What came by
    somebody's broadcast list was written to each of its readers, and so belongs to the chat with its writer.
    """
    chat = decode_jid(source.Chat)
    sender = decode_jid(source.Sender)
    if chat is None or sender is None:
        return None
    alternative = decode_jid(source.SenderAlt)
    if chat.server == _BROADCAST and chat.user != _STATUS and not source.IsFromMe:
        return Place(sender, alternative, sender, alternative)
    if chat.server not in _CHATS:
        log.debug("something from %s is left out: no chat with a person or group", chat.server)
        return None
    # In a chat with one person the alternative belongs to that person; in a group, to the sender.
    other = decode_jid(source.RecipientAlt) if source.IsFromMe else alternative
    return Place(chat, None if source.IsGroup else other, sender, alternative)


def decode_jid(jid: JID) -> Jid | None:
    """The port's form of a JID, or None for an empty one."""
    return Jid(jid.User, jid.Server) if jid.Server else None


def _content(event: MessageEvent) -> bytes:
    message = event.Message
    if event.IsViewOnce:
        # The library takes the wrapper off, and with it what forbids to show the message again.
        message = Message(viewOnceMessage=FutureProofMessage(message=message))
    content: bytes = message.SerializeToString()
    return content
