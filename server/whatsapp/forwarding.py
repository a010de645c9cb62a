"""The copy of a message that is forwarded."""

import secrets
from typing import Final

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, FutureProofMessage, Message

from server.whatsapp.port import NotForwardableError
from server.whatsapp.stored import describe, kind_of, parse, unwrap

SECRET_BYTES: Final = 32
"""The length of a poll's secret, with which votes are encrypted."""
_POLLS: Final = ("pollCreationMessage", "pollCreationMessageV2", "pollCreationMessageV3")


def forwarded_copy(content: bytes) -> Message:
    """Copies a message for others to see.

    The copy is marked as forwarded once more than the original was. It has nothing of what surrounded the
    original: no quote, no mentions (nobody is called twice), no secrets.

    Args:
        content: a `waE2E.Message`, serialised.

    Raises:
        NotForwardableError: there is nothing in it that could be forwarded.
    """
    message = parse(content)
    if message is None:
        raise NotForwardableError("the message's content is not stored")
    if not describe(message).is_forwardable:
        raise NotForwardableError("WhatsApp knows no forward of this kind of message")
    inner, _ = unwrap(message)
    kind = kind_of(inner)
    if kind is None:
        raise AssertionError("what is forwardable has a kind")
    copy = Message()
    if kind == "conversation":
        # Only the extended form has a place for the mark.
        copy.extendedTextMessage.text = inner.conversation
        copy.extendedTextMessage.contextInfo.CopyFrom(_mark(0))
        return copy
    original = getattr(inner, kind)
    # All polls travel in the first form: the library marks only that one as a poll on the wire.
    target = getattr(copy, _POLLS[0] if kind in _POLLS else kind)
    target.CopyFrom(original)
    target.contextInfo.CopyFrom(_mark(original.contextInfo.forwardingScore))
    if kind in _POLLS:
        target.ClearField("encKey")
        copy.messageContextInfo.messageSecret = secrets.token_bytes(SECRET_BYTES)
    return _wrapped(copy, kind)


def _mark(score: int) -> ContextInfo:
    return ContextInfo(isForwarded=True, forwardingScore=score + 1)


def _wrapped(copy: Message, kind: str) -> Message:
    """Puts back the wrapper that a kind travels in, which the library takes off what is received."""
    if kind == "documentMessage" and copy.documentMessage.caption:
        return Message(documentWithCaptionMessage=FutureProofMessage(message=copy))
    if kind == "stickerMessage" and copy.stickerMessage.isLottie:
        return Message(lottieStickerMessage=FutureProofMessage(message=copy))
    return copy
