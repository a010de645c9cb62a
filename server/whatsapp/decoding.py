"""From WhatsApp's protobufs to the port's events."""

from typing import Final

from neonize.proto.Neonize_pb2 import JID
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

from server.whatsapp.jid import Jid
from server.whatsapp.port import Received

# Kinds that carry no message of their own for the stored copy: keys, and changes to other messages.
_NOT_STORED: Final = frozenset(
    {
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "protocolMessage",
        "reactionMessage",
        "encReactionMessage",
        "pollUpdateMessage",
        "keepInChatMessage",
        "pinInChatMessage",
        "messageContextInfo",
    }
)
_TYPES: Final = {
    "conversation": "text",
    "extendedTextMessage": "text",
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "locationMessage": "location",
    "liveLocationMessage": "location",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
    "pollCreationMessage": "poll",
    "pollCreationMessageV2": "poll",
    "pollCreationMessageV3": "poll",
}
"""The API's message type by the field of `waE2E.Message` that is set."""
_BODY_FIELDS: Final = ("text", "caption", "name", "displayName", "fileName", "title")
"""Where a message keeps what a person would read first."""


def decode_message(event: MessageEvent) -> Received | None:
    """Reads an incoming message.

    Returns:
        The event, or None for what is no message of its own (keys, edits, reactions, votes).
    """
    kind = _kind(event.Message)
    if kind is None:
        return None
    source = event.Info.MessageSource
    chat = decode_jid(source.Chat)
    sender = decode_jid(source.Sender)
    if chat is None or sender is None:
        return None
    # In a chat with one person the alternative belongs to that person; in a group, to the sender.
    alternative = decode_jid(source.RecipientAlt if source.IsFromMe else source.SenderAlt)
    return Received(
        id=event.Info.ID,
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        sender=sender,
        sender_alternative=decode_jid(source.SenderAlt),
        from_me=source.IsFromMe,
        sender_name=event.Info.Pushname,
        type=_TYPES.get(kind, "unknown"),
        body=_body(event.Message, kind),
        timestamp=event.Info.Timestamp,
        content=event.Message.SerializeToString(),
    )


def decode_jid(jid: JID) -> Jid | None:
    """The port's form of a JID, or None for an empty one."""
    return Jid(jid.User, jid.Server) if jid.Server else None


def _kind(message: Message) -> str | None:
    names = [field.name for field, _ in message.ListFields()]
    return next((name for name in names if name not in _NOT_STORED), None)


def _body(message: Message, kind: str) -> str:
    value = getattr(message, kind)
    if isinstance(value, str):
        return value
    fields = value.DESCRIPTOR.fields_by_name
    found = (str(getattr(value, name)) for name in _BODY_FIELDS if name in fields)
    return next((text for text in found if text), "")
