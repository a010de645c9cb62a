"""From the port's content to WhatsApp's protobufs.

Built here and never by the library's helpers, which would fetch link previews from the network.
"""

import secrets

from neonize.proto.Neonize_pb2 import JID, MessageInfo, MessageSource
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

from server.clock import now_ms
from server.whatsapp.content import (
    Contact,
    Edit,
    Forward,
    Location,
    Poll,
    Quote,
    Reaction,
    Revoke,
    Target,
    Text,
)
from server.whatsapp.forwarding import SECRET_BYTES, forwarded_copy
from server.whatsapp.jid import Jid
from server.whatsapp.stored import context_of, kind_of, parse, unwrap

Encodable = Text | Poll | Location | Contact | Forward | Edit | Revoke | Reaction
"""Everything but a vote, which only the holder of the poll's secret can encode."""


def encode_content(content: Encodable, chat: Jid) -> Message:
    """The `waE2E.Message` that carries `content`.

    Args:
        content: what; people in it as WhatsApp addresses them in this chat.
        chat: where it goes, as WhatsApp addresses it.

    Raises:
        NotForwardableError: a forward of what cannot be forwarded.
    """
    if isinstance(content, Edit | Revoke | Reaction):
        return _action(content, chat)
    match content:
        case Text():
            return _text(content)
        case Poll():
            return _poll(content)
        case Location():
            return _location(content)
        case Contact():
            return Message(contactMessage=ContactMessage(displayName=content.name, vcard=content.vcard))
        case Forward():
            return forwarded_copy(content.content)


def encode_jid(jid: Jid) -> JID:
    """The library's form of a JID."""
    return JID(User=jid.user, Server=jid.server, RawAgent=0, Device=0, Integrator=0, IsEmpty=False)


def encode_poll_info(poll: Target, chat: Jid) -> MessageInfo:
    """What the library wants to know of a poll to encrypt a vote in it.

    Every field is set: the library reads them without looking whether they are there, and a missing one
    ends the process.
    """
    nobody = JID(User="", Server="", RawAgent=0, Device=0, Integrator=0, IsEmpty=True)
    return MessageInfo(
        MessageSource=MessageSource(
            Chat=encode_jid(chat),
            Sender=encode_jid(poll.sender),
            IsFromMe=poll.from_me,
            IsGroup=chat.is_group,
            SenderAlt=nobody,
            RecipientAlt=nobody,
            BroadcastListOwner=nobody,
        ),
        ID=poll.id,
        ServerID=0,
        Type="",
        Pushname="",
        Timestamp=0,
        Category="",
        Multicast=False,
        MediaType="",
        Edit="",
    )


def _text(text: Text) -> Message:
    if text.quote is None and not text.mentions and not text.forwarded:
        return Message(conversation=text.text)
    context = ContextInfo(mentionedJID=[str(jid) for jid in text.mentions])
    if text.quote is not None:
        context.stanzaID = text.quote.id
        context.participant = str(text.quote.sender)
        context.quotedMessage.CopyFrom(_quoted(text.quote))
    if text.forwarded:
        context.isForwarded = True
        context.forwardingScore = text.forwarded
    return Message(extendedTextMessage=ExtendedTextMessage(text=text.text, contextInfo=context))


def _quoted(quote: Quote) -> Message:
    """A quoted message as the quoting one carries it, without what surrounded it and its secrets."""
    shown = Message(conversation="")  # clients show no quote at all where this is missing
    message = parse(quote.content)
    if message is None:
        return shown
    inner, once = unwrap(message)
    kind = kind_of(inner)
    if kind is None or once:
        return shown
    quoted = Message()
    if kind == "conversation":
        quoted.conversation = inner.conversation
        return quoted
    getattr(quoted, kind).CopyFrom(getattr(inner, kind))
    if context_of(quoted, kind) is not None:
        getattr(quoted, kind).ClearField("contextInfo")
    if "encKey" in getattr(quoted, kind).DESCRIPTOR.fields_by_name:
        getattr(quoted, kind).ClearField("encKey")
    return quoted


def _poll(poll: Poll) -> Message:
    return Message(
        pollCreationMessage=PollCreationMessage(
            name=poll.question,
            options=[PollCreationMessage.Option(optionName=option) for option in poll.options],
            selectableOptionsCount=poll.selectable,
        ),
        messageContextInfo=MessageContextInfo(messageSecret=secrets.token_bytes(SECRET_BYTES)),
    )


def _location(location: Location) -> Message:
    message = LocationMessage(degreesLatitude=location.latitude, degreesLongitude=location.longitude)
    if location.name:
        message.name = location.name
    return Message(locationMessage=message)


def _action(action: Edit | Revoke | Reaction, chat: Jid) -> Message:
    key = encode_key(action.target, chat)
    match action:
        case Edit():
            return _edit(key, action.text)
        case Revoke():
            return Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE, key=key))
        case Reaction():
            reaction = ReactionMessage(key=key, text=action.emoji, senderTimestampMS=now_ms())
            return Message(reactionMessage=reaction)


def _edit(key: MessageKey, text: str) -> Message:
    return Message(
        editedMessage=FutureProofMessage(
            message=Message(
                protocolMessage=ProtocolMessage(
                    key=key,
                    type=ProtocolMessage.MESSAGE_EDIT,
                    editedMessage=Message(conversation=text),
                    timestampMS=now_ms(),
                )
            )
        )
    )


def encode_key(target: Target, chat: Jid) -> MessageKey:
    """How a message names another one, in a chat as WhatsApp addresses it."""
    key = MessageKey(remoteJID=str(chat), fromMe=target.from_me, ID=target.id)
    # In a chat with one person the two of them are known; in a group the author must be named.
    if chat.is_group and not target.from_me:
        key.participant = str(target.sender)
    return key
