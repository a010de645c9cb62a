"""What an incoming message does to another one: edits, revokes, reactions and votes.

Strangers wrote all of it. Who acts is known from the envelope; what the message itself claims about others
counts only where WhatsApp or a comparison with the stored copy vouches for it.
"""

from dataclasses import dataclass

from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, ProtocolMessage, SecretEncryptedMessage

from server.whatsapp.incoming import Edited, Reacted, Revoked, Seal, Sealed
from server.whatsapp.jid import Jid, parse_jid
from server.whatsapp.stored import describe, unwrap

Act = Edited | Revoked | Reacted | Sealed
"""What a message can do to another one."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a message came in.

    Attributes:
        chat, chat_alternative, sender, sender_alternative, from_me: as in `incoming.Received`.
        timestamp: WhatsApp's time, epoch milliseconds.
        by_admin: whether WhatsApp took it as an admin's act on what somebody else wrote.
    """

    chat: Jid
    chat_alternative: Jid | None
    sender: Jid
    sender_alternative: Jid | None
    from_me: bool
    timestamp: int
    by_admin: bool


def act_of(message: Message, envelope: Envelope) -> Act | None:
    """What a message does to another one, or None where it does nothing that is understood."""
    inner, _ = unwrap(message)
    if inner.HasField("editedMessage"):
        inner = inner.editedMessage.message
    if inner.HasField("reactionMessage"):
        return _reaction(inner, envelope)
    sealed = _sealed(inner, envelope)
    if sealed is not None:
        return sealed
    if not inner.HasField("protocolMessage"):
        return None
    protocol = inner.protocolMessage
    # REVOKE is the type's zero: without the look, a message that names no type would delete another one.
    if protocol.HasField("type") and protocol.type == ProtocolMessage.REVOKE:
        return _revoke(protocol, envelope)
    if protocol.type == ProtocolMessage.MESSAGE_EDIT:
        return _edit(protocol, envelope)
    return None


def _edit(protocol: ProtocolMessage, envelope: Envelope) -> Edited | None:
    if not protocol.key.ID:
        return None
    described = describe(protocol.editedMessage)
    if not described.text:
        return None
    # The new text of a picture comes without what the picture needs to be shown.
    content = protocol.editedMessage.SerializeToString() if described.is_text else b""
    return Edited(
        target_id=protocol.key.ID,
        # Only who wrote a message can edit it, whomever its key names.
        target_sender=envelope.sender,
        chat=envelope.chat,
        chat_alternative=envelope.chat_alternative,
        sender=envelope.sender,
        sender_alternative=envelope.sender_alternative,
        from_me=envelope.from_me,
        timestamp=protocol.timestampMS if protocol.timestampMS > 0 else envelope.timestamp,
        body=described.text,
        content=content,
        mentions=described.mentions,
    )


def _revoke(protocol: ProtocolMessage, envelope: Envelope) -> Revoked | None:
    if not protocol.key.ID:
        return None
    writer: Jid | None = envelope.sender
    if not protocol.key.fromMe:
        # WhatsApp marks what an admin deletes, and refuses the mark to others.
        if not (envelope.chat.is_group and envelope.by_admin):
            return None
        writer = _participant(protocol.key)
        if writer is None:
            return None
    return Revoked(
        target_id=protocol.key.ID,
        target_sender=writer,
        chat=envelope.chat,
        chat_alternative=envelope.chat_alternative,
        sender=envelope.sender,
        sender_alternative=envelope.sender_alternative,
        from_me=envelope.from_me,
        timestamp=envelope.timestamp,
    )


def _reaction(message: Message, envelope: Envelope) -> Reacted | None:
    reaction = message.reactionMessage
    if not reaction.key.ID:
        return None
    try:
        writer = _writer(reaction.key, envelope)
    except ValueError:
        return None
    return Reacted(
        target_id=reaction.key.ID,
        target_sender=writer,
        chat=envelope.chat,
        chat_alternative=envelope.chat_alternative,
        sender=envelope.sender,
        sender_alternative=envelope.sender_alternative,
        from_me=envelope.from_me,
        timestamp=reaction.senderTimestampMS if reaction.senderTimestampMS > 0 else envelope.timestamp,
        emoji=reaction.text,
    )


def _sealed(message: Message, envelope: Envelope) -> Sealed | None:
    if message.HasField("pollUpdateMessage"):
        vote = message.pollUpdateMessage
        inside = _Inside(Seal.VOTE, vote.pollCreationMessageKey, vote.vote.encIV, vote.vote.encPayload)
        return _of_sealed(inside, envelope, clock=vote.senderTimestampMS)
    if message.HasField("encReactionMessage"):
        reaction = message.encReactionMessage
        inside = _Inside(Seal.REACTION, reaction.targetMessageKey, reaction.encIV, reaction.encPayload)
        return _of_sealed(inside, envelope)
    secret = message.secretEncryptedMessage
    if secret.secretEncType == SecretEncryptedMessage.MESSAGE_EDIT:
        inside = _Inside(Seal.EDIT, secret.targetMessageKey, secret.encIV, secret.encPayload)
        return _of_sealed(inside, envelope)
    return None


@dataclass(frozen=True, slots=True)
class _Inside:
    seal: Seal
    key: MessageKey
    iv: bytes
    payload: bytes


def _of_sealed(inside: _Inside, envelope: Envelope, clock: int = 0) -> Sealed | None:
    key = inside.key
    if not key.ID or not inside.payload:
        return None
    try:
        # Only who wrote a message can edit it, whomever its key names.
        writer = envelope.sender if inside.seal is Seal.EDIT else _writer(key, envelope)
    except ValueError:
        return None
    return Sealed(
        target_id=key.ID,
        target_sender=writer,
        chat=envelope.chat,
        chat_alternative=envelope.chat_alternative,
        sender=envelope.sender,
        sender_alternative=envelope.sender_alternative,
        from_me=envelope.from_me,
        timestamp=clock if clock > 0 else envelope.timestamp,
        seal=inside.seal,
        iv=inside.iv,
        payload=inside.payload,
        authors=_authors(key, envelope),
    )


def _writer(key: MessageKey, envelope: Envelope) -> Jid | None:
    """Who wrote the message that a key names; None where the account itself did.

    Raises:
        ValueError: the key does not tell.
    """
    if key.fromMe:
        return envelope.sender
    if envelope.chat.is_group:
        return parse_jid(key.participant)
    # Of two people one acts on what the other wrote.
    return envelope.chat if envelope.from_me else None


def _authors(key: MessageKey, envelope: Envelope) -> tuple[Jid, ...]:
    """The names that a key may mean by the message's writer. Whose they are is checked by the seal itself."""
    if key.fromMe:
        return tuple(jid for jid in (envelope.sender, envelope.sender_alternative) if jid is not None)
    try:
        return (parse_jid(key.participant if envelope.chat.is_group else key.remoteJID),)
    except ValueError:
        return ()


def _participant(key: MessageKey) -> Jid | None:
    try:
        return parse_jid(key.participant)
    except ValueError:
        return None
