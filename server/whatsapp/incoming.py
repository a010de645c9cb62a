"""What the port tells of messages: those that came in, acts on others, and how far they came."""

from dataclasses import dataclass
from enum import StrEnum

from server.whatsapp.jid import Jid


@dataclass(frozen=True, slots=True)
class Received:
    """A message came in, or the account sent one from another of its devices.

    A message that the device could not decrypt, or that WhatsApp did not give it, comes with the type
    "undecryptable" and nothing in it. The device asks its sender for it by itself; where that helps, the same
    message follows, under the same id.

    Attributes:
        id: WhatsApp's id for it.
        chat: where it belongs; a LID where WhatsApp addressed it so.
        chat_alternative: the same person's other JID (phone number for a LID), where known.
        sender: who sent it, without a device part.
        sender_alternative: the sender's other JID, where known.
        sender_name: how the sender calls themself, "" where unknown.
        type: a word of the API's message types ("text", "image", ..., "unknown", "undecryptable").
        body: the text or what stands for it.
        timestamp: WhatsApp's time, epoch milliseconds.
        content: the `waE2E.Message`, serialised; `server.whatsapp.stored` reads it. Empty for what could not
            be decrypted.
        quoted_id: WhatsApp's id of the message that it answers, or None.
        mentions: people whom it mentions, as the sender addressed them.
    """

    id: str
    chat: Jid
    chat_alternative: Jid | None
    sender: Jid
    sender_alternative: Jid | None
    from_me: bool
    sender_name: str
    type: str
    body: str
    timestamp: int
    content: bytes
    quoted_id: str | None = None
    mentions: tuple[Jid, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """WhatsApp delivered a message again that this device has decrypted before, and can decrypt only once.

    It does so with what was not confirmed (`Client.confirm`). Whoever has stored the message confirms; who
    has not has it asked for again (`ClientFactory.ask_again`).

    Attributes:
        id: WhatsApp's id for it.
        sender: the device that sent it, as the library names it (`<user>:<device>@<server>`).
        chat: where it came in, as the library names it.
    """

    id: str
    sender: str
    chat: str


@dataclass(frozen=True, slots=True)
class MessageAct:
    """What an incoming act on another message says, whichever it is.

    Attributes:
        target_id: WhatsApp's id of the message that it acts on.
        target_sender: who wrote that message, without a device part, as they were named; None where the
            account itself did.
        chat, chat_alternative: as in `Received`.
        sender, sender_alternative: who acts, as in `Received`.
        from_me: whether the account acts, from another of its devices.
        timestamp: when, epoch milliseconds; edits, reactions and votes have their sender's own clock, by
            which devices tell which of two is the later one, revokes WhatsApp's.
    """

    target_id: str
    target_sender: Jid | None
    chat: Jid
    chat_alternative: Jid | None
    sender: Jid
    sender_alternative: Jid | None
    from_me: bool
    timestamp: int


@dataclass(frozen=True, slots=True)
class Edited(MessageAct):
    """The writer of a message gave it another text.

    Attributes:
        body: the text, or the caption.
        content: the `waE2E.Message` that it says now, serialised; empty where that is not the whole of it.
        mentions: people whom it mentions now.
    """

    body: str
    content: bytes
    mentions: tuple[Jid, ...]


@dataclass(frozen=True, slots=True)
class Revoked(MessageAct):
    """A message was deleted for everyone: by its writer or, in a group, by an admin."""


@dataclass(frozen=True, slots=True)
class Reacted(MessageAct):
    """Somebody reacted to a message, in the place of an earlier reaction.

    Attributes:
        emoji: "" where the earlier one was taken back.
    """

    emoji: str


class Seal(StrEnum):
    """What an act was sealed as; the words are WhatsApp's, and a part of the keys."""

    VOTE = "Poll Vote"
    REACTION = "Enc Reaction"
    EDIT = "Message Edit"


@dataclass(frozen=True, slots=True)
class Sealed(MessageAct):
    """A vote, or a reaction or edit that WhatsApp keeps from who does not have the message.

    It is read with the message's own secret: `server.whatsapp.sealing`.

    Attributes:
        seal: what it is.
        iv, payload: the sealed act.
        authors: names of who wrote the message; it was sealed under one of them, and the actor's.
    """

    seal: Seal
    iv: bytes
    payload: bytes
    authors: tuple[Jid, ...]


class ReceiptKind(StrEnum):
    """How far a message came with somebody."""

    DELIVERED = "delivered"
    """To one of their devices."""
    READ = "read"
    """They opened the chat."""
    PLAYED = "played"
    """They listened to it, or looked at it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody else's device tells how far messages of the account have come.

    Attributes:
        ids: WhatsApp's ids; some may be of what is no message of its own, such as a reaction.
        chat, chat_alternative: as in `Received`.
        participant, participant_alternative: whose device it is, as a sender in `Received`.
        timestamp: WhatsApp's time, epoch milliseconds.
    """

    ids: tuple[str, ...]
    kind: ReceiptKind
    chat: Jid
    chat_alternative: Jid | None
    participant: Jid
    participant_alternative: Jid | None
    timestamp: int
