"""From WhatsApp's protobufs to the port's events."""

from neonize.proto.Neonize_pb2 import JID
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message

from server.whatsapp.jid import Jid
from server.whatsapp.port import Received
from server.whatsapp.stored import describe, kind_of, unwrap


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
