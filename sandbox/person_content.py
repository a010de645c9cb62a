"""What a person sends: content in plain words, made into WhatsApp's messages.

Only the people process imports this module; see ``people.py``.
"""

import secrets
import time
from typing import Any

from neonize.proto import Neonize_pb2 as events
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContactMessage,
    ContextInfo,
    ExtendedTextMessage,
    FutureProofMessage,
    LocationMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ProtocolMessage,
    ReactionMessage,
)

__all__ = ["composed", "jid_of", "poll_info"]

Content = dict[str, Any]

_SECRET_BYTES = 32


def composed(content: Content, chat: str) -> Message:
    """Makes the message of any content but a vote, which only the client can encrypt.

    Args:
        content: ``kind`` and what belongs to it, as ``drafts.py`` has checked and completed it.
        chat: The chat, as its members address it.
    """
    kind = content["kind"]
    if kind in {"reaction", "edit", "revoke"}:
        return _action(kind, content[kind], chat)
    context = _context(content)
    if kind == "text":
        if context is None:
            # As it comes from a keyboard: the library's own way with plain text would fetch links in it.
            return Message(conversation=content["text"])
        return Message(extendedTextMessage=ExtendedTextMessage(text=content["text"], contextInfo=context))
    if kind == "poll":
        return _poll(content["poll"], context)
    if kind == "location":
        return _location(content["location"], context)
    if kind == "contact":
        contact = content["contact"]
        return Message(
            contactMessage=ContactMessage(
                displayName=contact["name"], vcard=contact["vcard"], contextInfo=context
            )
        )
    raise ValueError(f"unknown kind {kind}")


def poll_info(chat: str, poll: Content) -> events.MessageInfo:
    """What the client must know about a poll to vote in it.

    Args:
        chat: The poll's chat.
        poll: ``target`` (its id), ``sender`` and ``fromMe``.
    """
    # Whatever is missing is a nil pointer to the library, and ends the process: hence the empty ones.
    nobody = events.JID(User="", Server="", Device=0, RawAgent=0, Integrator=0, IsEmpty=True)
    return events.MessageInfo(
        MessageSource=events.MessageSource(
            Chat=jid_of(chat),
            Sender=jid_of(poll["sender"]),
            IsFromMe=poll["fromMe"],
            IsGroup=chat.endswith("@g.us"),
            SenderAlt=nobody,
            RecipientAlt=nobody,
            BroadcastListOwner=nobody,
        ),
        ID=poll["target"],
        ServerID=0,
        Type="",
        Pushname="",
        Timestamp=0,
        Category="",
        Multicast=False,
        MediaType="",
        Edit="",
    )


def jid_of(text: str) -> events.JID:
    """An account's or group's JID as the library takes it."""
    user, _, server = text.rpartition("@")
    return events.JID(User=user, Server=server, Device=0, RawAgent=0, Integrator=0, IsEmpty=False)


def _action(kind: str, action: Content, chat: str) -> Message:
    key = MessageKey(remoteJID=chat, fromMe=action["fromMe"], ID=action["target"])
    if chat.endswith("@g.us") and not action["fromMe"]:
        key.participant = action["sender"]
    now = int(time.time() * 1000)
    if kind == "reaction":
        return Message(reactionMessage=ReactionMessage(key=key, text=action["emoji"], senderTimestampMS=now))
    if kind == "revoke":
        return Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE, key=key))
    edit = ProtocolMessage(
        type=ProtocolMessage.MESSAGE_EDIT,
        key=key,
        editedMessage=Message(conversation=action["text"]),
        timestampMS=now,
    )
    return Message(editedMessage=FutureProofMessage(message=Message(protocolMessage=edit)))


def _context(content: Content) -> ContextInfo | None:
    context = ContextInfo(mentionedJID=content.get("mentions", ()))
    quoted = content.get("quoted")
    if quoted:
        context.stanzaID = quoted["id"]
        context.participant = quoted["participant"]
        context.quotedMessage.conversation = quoted["text"]
    if content.get("forwarded"):
        context.isForwarded = True
        context.forwardingScore = content.get("forwardingScore", 1)
    return context if context.ListFields() else None


def _poll(poll: Content, context: ContextInfo | None) -> Message:
    return Message(
        pollCreationMessage=PollCreationMessage(
            name=poll["name"],
            options=[PollCreationMessage.Option(optionName=option) for option in poll["options"]],
            selectableOptionsCount=poll["selectableCount"],
            contextInfo=context,
        ),
        # Votes are encrypted with it.
        messageContextInfo=MessageContextInfo(messageSecret=secrets.token_bytes(_SECRET_BYTES)),
    )


def _location(place: Content, context: ContextInfo | None) -> Message:
    return Message(
        locationMessage=LocationMessage(
            degreesLatitude=place["latitude"],
            degreesLongitude=place["longitude"],
            name=place["name"] or None,
            contextInfo=context,
        )
    )
