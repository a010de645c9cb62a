"""Reading stored content: what a serialised `waE2E.Message` is, for whoever knows no protobufs.

Pure functions: nothing here talks to the network, and content that cannot be read is no error but
content of type "unknown", because what is stored came from strangers.
"""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, Message

from server.whatsapp.jid import Jid
from server.whatsapp.kinds import (
    EDITABLE,
    FORWARDABLE,
    KEYS,
    NOT_STORED,
    PLAIN_WRAPPERS,
    TYPES,
    VIEW_ONCE,
    WRAPPERS,
)
from server.whatsapp.words import words_of

UNKNOWN: Final = "unknown"
"""The API's type of a message that has no word of its own."""
UNDECRYPTABLE: Final = "undecryptable"
"""The API's type of a message that came without anything that the device could read."""


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What stored content says.

    Attributes:
        type: a word of the API's message types ("text", "image", ..., "unknown").
        text: the text or what stands for it: a caption, a question, a name; "" where there is none.
        is_text: whether it is a text message, the one kind that can be edited.
        options: the options of a poll, in their order; None where it is no poll.
        is_forwardable: whether a faithful copy can be sent; keys, changes to other messages, what may
            be seen only once and content that cannot be read are not.
        quoted_id: WhatsApp's id of the message that it answers, or None.
        mentions: people whom it mentions.
    """

    type: str
    text: str
    is_text: bool
    options: tuple[str, ...] | None
    is_forwardable: bool
    quoted_id: str | None
    mentions: tuple[Jid, ...]


_UNREADABLE: Final = StoredContent(
    UNKNOWN, "", is_text=False, options=None, is_forwardable=False, quoted_id=None, mentions=()
)


def read_content(content: bytes) -> StoredContent:
    """Says what stored content is.

    Args:
        content: a `waE2E.Message`, serialised, as `Received.content` and `Sent.content` have it.
    """
    message = parse(content)
    return _UNREADABLE if message is None else describe(message)


def options_of(content: bytes) -> tuple[str, ...]:
    """The options of a poll, in their order; none where it is no poll."""
    return read_content(content).options or ()


def secret_of(content: bytes) -> bytes:
    """The secret with which what is said about a message is sealed; empty where it has none.

    It lies beside the message itself, or outside of what is around that.
    """
    message = parse(content)
    while message is not None:
        if message.messageContextInfo.messageSecret:
            secret: bytes = message.messageContextInfo.messageSecret
            return secret
        wrapper = _wrapper_of(message)
        message = None if wrapper is None else getattr(message, wrapper).message
    return b""


def with_secret_of(before: bytes, after: bytes) -> bytes:
    """Content that replaces another one, with that one's secret: what is said later is sealed with it.

    Args:
        before: the content that is replaced.
        after: the new one; empty where nothing is known of it. Returned as it is where there is no secret.
    """
    secret = secret_of(before)
    message = parse(after) if after else Message()
    if not secret or message is None:
        return after
    message.messageContextInfo.messageSecret = secret
    content: bytes = message.SerializeToString()
    return content


def clock_of(content: bytes) -> int | None:
    """When an act on another message was done by its sender's clock, epoch milliseconds, where it says."""
    message = parse(content)
    if message is None:
        return None
    inner, _ = unwrap(message)
    if inner.HasField("editedMessage"):
        inner = inner.editedMessage.message
    clocks = (
        inner.protocolMessage.timestampMS,
        inner.reactionMessage.senderTimestampMS,
        inner.pollUpdateMessage.senderTimestampMS,
    )
    return next((clock for clock in clocks if clock > 0), None)


def parse(content: bytes) -> Message | None:
    """The message that stored content holds, or None where it is empty or no message."""
    try:
        return Message.FromString(content) if content else None
    except DecodeError:
        return None


def describe(message: Message) -> StoredContent:
    """Says what a message is; see `read_content`."""
    inner, once = unwrap(message)
    kind = kind_of(inner)
    if kind is None:
        return _UNREADABLE
    context = context_of(inner, kind)
    api_type = TYPES.get(kind, UNKNOWN)
    return StoredContent(
        type=api_type,
        text=words_of(inner, kind),
        is_text=kind in EDITABLE,
        options=_options(inner, kind) if api_type == "poll" else None,
        is_forwardable=not once and kind in FORWARDABLE and _is_plain(message),
        quoted_id=(context.stanzaID or None) if context is not None else None,
        mentions=_mentions(context) if context is not None else (),
    )


def is_message(message: Message) -> bool:
    """Whether something is a message of its own, and nothing that only changes another one or carries keys.

    What the library does not know yet is one: better a message too much than one that nobody sees.
    """
    inner, _ = unwrap(message)
    if kind_of(inner) is not None:
        return True
    beside = all(field.name in KEYS for field, _ in inner.ListFields())
    return beside and len(UnknownFieldSet(inner)) > 0


def unwrap(message: Message) -> tuple[Message, bool]:
    """Takes off what only wraps a message.

    Returns:
        The message itself, and whether it may be seen only once.
    """
    once = False
    while (wrapper := _wrapper_of(message)) is not None:
        once = once or wrapper in VIEW_ONCE
        message = getattr(message, wrapper).message
    kind = kind_of(message)
    return message, once or (kind is not None and getattr(getattr(message, kind), "viewOnce", False))


def _is_plain(message: Message) -> bool:
    """Whether nothing is around a message that says what may become of it."""
    while (wrapper := _wrapper_of(message)) is not None:
        if wrapper not in PLAIN_WRAPPERS:
            return False
        message = getattr(message, wrapper).message
    return True


def _wrapper_of(message: Message) -> str | None:
    """The field that is around a message, or None where nothing is."""
    names = (field.name for field, _ in message.ListFields())
    wrapper = next((name for name in names if name in WRAPPERS), None)
    return wrapper if wrapper is not None and getattr(message, wrapper).HasField("message") else None


def kind_of(message: Message) -> str | None:
    """The field that makes a message what it is, or None where it is no message of its own."""
    names = (field.name for field, _ in message.ListFields())
    return next((name for name in names if name not in NOT_STORED), None)


def context_of(message: Message, kind: str) -> ContextInfo | None:
    """What surrounds a message of a kind: its quote, its mentions, its forwards."""
    value = getattr(message, kind)
    if isinstance(value, str) or "contextInfo" not in value.DESCRIPTOR.fields_by_name:
        return None
    context: ContextInfo = value.contextInfo
    return context


def _options(message: Message, kind: str) -> tuple[str, ...]:
    return tuple(option.optionName for option in getattr(message, kind).options)


def _mentions(context: ContextInfo) -> tuple[Jid, ...]:
    # Strangers wrote these; what is no JID is left out rather than shown.
    found = (jid.partition("@") for jid in context.mentionedJID)
    return tuple(Jid(user.partition(":")[0], server) for user, _, server in found if user and server)
