"""What a person's client decrypted, as a record of plain words.

Only the people process imports this module; see ``people.py``.
"""

from typing import Any

from google.protobuf.message import Message as AnyMessage
from neonize.proto import Neonize_pb2 as events
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, Message, ProtocolMessage

__all__ = ["Record", "described", "jid_text", "poll_of"]

Record = dict[str, Any]

# The fourth version is another one in a wrapper.
_POLLS = frozenset({"pollCreationMessage", *(f"pollCreationMessageV{version}" for version in (2, 3, 5, 6))})
# These accompany a message, or set up the keys of a group; they are no message of their own.
_NO_CONTENT = frozenset({"messageContextInfo", "senderKeyDistributionMessage"})


def described(event: events.Message, own: str) -> Record | None:
    """A message as a record.

    ``type`` is ``text`` or the field's name in the message. ``kind`` is its name in the control API; what
    belongs to a kind other than text stands under that name. Addresses in ``quoted``, ``mentions`` and
    ``sender`` are as the sender wrote them.

    Args:
        event: The library's event.
        own: The person's own JID.

    Returns:
        The record; None where the message only carries a group's keys.
    """
    message, source = event.Message, event.Info.MessageSource
    fields = [field.name for field, _ in message.ListFields() if field.name not in _NO_CONTENT]
    if not fields and message.HasField("senderKeyDistributionMessage"):
        return None
    name = fields[0] if fields else "unknown"
    is_text = name in {"conversation", "extendedTextMessage"}
    sender = jid_text(source.Sender)
    return {
        "id": event.Info.ID,
        "from": sender,
        "chat": jid_text(source.Chat),
        "timestamp": event.Info.Timestamp,
        "type": "text" if is_text else name,
        **_content(message, name, sender, own),
    }


def poll_of(message: Message) -> Record | None:
    """The poll in a message, if there is one."""
    for field, poll in message.ListFields():
        if field.name in _POLLS:
            return {
                "name": poll.name,
                "options": [option.optionName for option in poll.options],
                "selectableCount": poll.selectableOptionsCount,
            }
    return None


def jid_text(jid: events.JID) -> str:
    """The account behind an address; a device is of no interest here."""
    return f"{jid.User}@{jid.Server}"


def _content(message: Message, name: str, sender: str, own: str) -> Record:
    if name == "conversation":
        return {"kind": "text", "text": message.conversation}
    if name == "reactionMessage":
        reaction = message.reactionMessage
        return {
            "kind": "reaction",
            "reaction": {**_target(reaction.key, sender, own), "emoji": reaction.text},
        }
    if name == "pollUpdateMessage":
        return {
            "kind": "vote",
            "vote": _target(message.pollUpdateMessage.pollCreationMessageKey, sender, own),
        }
    if name == "protocolMessage":
        return _protocol(message.protocolMessage, sender, own)
    content: AnyMessage | None = getattr(message, name, None)
    return {**_plain(message, name), **_context(content)}


def _plain(message: Message, name: str) -> Record:
    if name == "extendedTextMessage":
        return {"kind": "text", "text": message.extendedTextMessage.text}
    if name in _POLLS:
        return {"kind": "poll", "poll": poll_of(message)}
    if name == "locationMessage":
        place = message.locationMessage
        return {
            "kind": "location",
            "location": {
                "latitude": place.degreesLatitude,
                "longitude": place.degreesLongitude,
                "name": place.name,
            },
        }
    if name == "contactMessage":
        contact = message.contactMessage
        return {"kind": "contact", "contact": {"name": contact.displayName, "vcard": contact.vcard}}
    return {"kind": name.removesuffix("Message")}


def _protocol(protocol: ProtocolMessage, sender: str, own: str) -> Record:
    if protocol.type == ProtocolMessage.REVOKE:
        return {"kind": "revoke", "revoke": _target(protocol.key, sender, own)}
    if protocol.type == ProtocolMessage.MESSAGE_EDIT:
        edited = protocol.editedMessage
        text = edited.conversation or edited.extendedTextMessage.text
        return {"kind": "edit", "edit": {**_target(protocol.key, sender, own), "text": text}}
    return {"kind": "protocol"}


def _target(key: MessageKey, sender: str, own: str) -> Record:
    """The message that another one is about: its id, and who sent it as far as the key tells."""
    # Without a participant there are two in the chat, and a key that is not the sender's is the reader's.
    author = key.participant or (sender if key.fromMe else own)
    return {"target": key.ID, "sender": author}


def _context(content: AnyMessage | None) -> Record:
    if content is None or "contextInfo" not in content.DESCRIPTOR.fields_by_name:
        return {}
    context: ContextInfo = getattr(content, "contextInfo")  # noqa: B009 - not every content has one
    found: Record = {}
    if context.stanzaID:
        found["quoted"] = {
            "id": context.stanzaID,
            "participant": context.participant,
            "text": _shown(context.quotedMessage),
        }
    if context.mentionedJID:
        found["mentions"] = list(context.mentionedJID)
    if context.isForwarded:
        found["forwarded"] = True
        found["forwardingScore"] = context.forwardingScore
    return found


def _shown(message: Message) -> str:
    """The words that a client shows in a quote."""
    poll = poll_of(message)
    return (
        message.conversation
        or message.extendedTextMessage.text
        or (poll["name"] if poll else "")
        or message.locationMessage.name
        or message.contactMessage.displayName
    )
