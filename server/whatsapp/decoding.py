"""From WhatsApp's protobufs to the port's events."""

from typing import Final

from neonize.proto.Neonize_pb2 import JID
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.Neonize_pb2 import UndecryptableMessage as UndecryptableEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message

from server.whatsapp.acts import Act, Envelope, act_of
from server.whatsapp.incoming import Receipt, ReceiptKind
from server.whatsapp.jid import Jid
from server.whatsapp.port import Received
from server.whatsapp.stored import UNDECRYPTABLE, describe, kind_of, unwrap

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
    inner, _ = unwrap(event.Message)
    if kind_of(inner) is None:
        return None
    source = event.Info.MessageSource
    chat = decode_jid(source.Chat)
    sender = decode_jid(source.Sender)
    if chat is None or sender is None:
        return None
    # In a chat with one person the alternative belongs to that person; in a group, to the sender.
    alternative = decode_jid(source.RecipientAlt if source.IsFromMe else source.SenderAlt)
    described = describe(event.Message)
    return Received(
        id=event.Info.ID,
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        sender=sender,
        sender_alternative=decode_jid(source.SenderAlt),
        from_me=source.IsFromMe,
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
    source = info.MessageSource
    chat = decode_jid(source.Chat)
    sender = decode_jid(source.Sender)
    hidden = event.DecryptFailMode == UndecryptableEvent.DECRYPT_FAIL_HIDE
    if hidden or info.Edit or info.Category == _PEER or chat is None or sender is None:
        return None
    alternative = decode_jid(source.RecipientAlt if source.IsFromMe else source.SenderAlt)
    return Received(
        id=info.ID,
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        sender=sender,
        sender_alternative=decode_jid(source.SenderAlt),
        from_me=source.IsFromMe,
        sender_name=info.Pushname,
        type=UNDECRYPTABLE,
        body="",
        timestamp=info.Timestamp,
        content=b"",
    )


def decode_act(event: MessageEvent) -> Act | None:
    """Reads what an incoming message does to another one; None where that is nothing."""
    source = event.Info.MessageSource
    chat = decode_jid(source.Chat)
    sender = decode_jid(source.Sender)
    if chat is None or sender is None:
        return None
    alternative = decode_jid(source.RecipientAlt if source.IsFromMe else source.SenderAlt)
    envelope = Envelope(
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        sender=sender,
        sender_alternative=decode_jid(source.SenderAlt),
        from_me=source.IsFromMe,
        timestamp=event.Info.Timestamp,
        by_admin=event.Info.Edit == _ADMIN_REVOKE,
    )
    return act_of(event.Message, envelope)


def decode_receipt(event: ReceiptEvent) -> Receipt | None:
    """Reads how far messages have come; None for what says nothing about that, or comes from the account."""
    source = event.MessageSource
    kind = _RECEIPTS.get(event.Type)
    chat = decode_jid(source.Chat)
    participant = decode_jid(source.Sender)
    if kind is None or chat is None or participant is None or source.IsFromMe or not event.MessageIDs:
        return None
    alternative = decode_jid(source.SenderAlt)
    return Receipt(
        ids=tuple(event.MessageIDs),
        kind=kind,
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        participant=participant,
        participant_alternative=alternative,
        timestamp=event.Timestamp * 1000,
    )


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
