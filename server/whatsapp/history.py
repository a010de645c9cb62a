"""What the account's phone tells of the time before its device was linked, or was away.

It comes in chunks of up to many thousand messages. A chunk is stored as it came before anything is made of
it; `server.whatsapp.history_pieces` cuts it and `server.whatsapp.history_reading` reads what was cut.
"""

from dataclasses import dataclass
from enum import StrEnum

from server.whatsapp.incoming import Reacted
from server.whatsapp.jid import Jid


class HistoryKind(StrEnum):
    """Why the phone told it."""

    INITIAL_BOOTSTRAP = "initial_bootstrap"
    """All chats as they stood when the device was linked, with their newest messages."""
    INITIAL_STATUS_V3 = "initial_status_v3"
    """Status broadcasts."""
    FULL = "full"
    """Older messages."""
    RECENT = "recent"
    """Messages of the last weeks."""
    PUSH_NAME = "push_name"
    """How people call themselves."""
    NON_BLOCKING_DATA = "non_blocking_data"
    """What nothing waits for, such as who left a group."""
    ON_DEMAND = "on_demand"
    """What a device asked for."""


@dataclass(frozen=True, slots=True)
class HistoryReceived:
    """The phone told a chunk of history.

    Attributes:
        id: the chunk's own id: kept twice, it is one.
        content: a serialised event of the library; see `server.whatsapp.history_pieces`.
    """

    id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message as the phone knows it now.

    Attributes:
        id, sender_name, type, body, timestamp, content, quoted_id, mentions: as in `incoming.Received`.
        sender: who wrote it, as the phone names them; None where the account itself did.
        ack_level: how far it came; 0 for what others wrote (REST API, Objects, Message).
        edited_at: when it was edited last, epoch milliseconds, 0 where only that it was is known; None
            where it was not.
        deleted: whether it was deleted for everyone.
        reactions: of each person the last one.
        votes: in a poll, of each person the last one.
        receipts: how far an own message came with members of a group.
    """

    id: str
    sender: Jid | None
    sender_name: str
    type: str
    body: str
    timestamp: int
    content: bytes
    quoted_id: str | None
    mentions: tuple[Jid, ...]
    ack_level: int
    edited_at: int | None
    deleted: bool
    reactions: tuple["PastReaction", ...] = ()
    votes: tuple["PastVote", ...] = ()
    receipts: tuple["PastReceipt", ...] = ()


@dataclass(frozen=True, slots=True)
class PastReaction:
    """Somebody's reaction.

    Attributes:
        reactor: None where it is the account's own.
        timestamp: by the reactor's clock, epoch milliseconds.
    """

    reactor: Jid | None
    emoji: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class PastVote:
    """Somebody's vote.

    Attributes:
        voter: None where it is the account's own.
        options: all that they have chosen, by the options' texts.
        timestamp: by the voter's clock, epoch milliseconds.
    """

    voter: Jid | None
    options: tuple[str, ...]
    timestamp: int


@dataclass(frozen=True, slots=True)
class PastReceipt:
    """How far an own message came with a member of a group.

    Attributes:
        ack_level: 2 delivered, 3 read, 4 played.
        timestamp: when, epoch milliseconds.
    """

    participant: Jid
    ack_level: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class PastChat:
    """A chat as the phone knows it, with some of its messages, oldest first.

    Attributes:
        jid: a person or group, as the phone names it.
        alternative: the person's other JID, where known.
        name: the group's subject, or how the address book calls the person; "" where unknown.
        muted_until: epoch milliseconds, or None.
        last_message_at: epoch milliseconds, or None where the phone does not say.
        acts: reactions that are told on their own.
    """

    jid: Jid
    alternative: Jid | None
    name: str
    unread_count: int
    archived: bool
    pinned: bool
    muted_until: int | None
    last_message_at: int | None
    messages: tuple[PastMessage, ...]
    acts: tuple[Reacted, ...]


@dataclass(frozen=True, slots=True)
class HistoryPiece:
    """What a piece of a chunk says.

    Attributes:
        addresses: LIDs, each with its phone-number JID.
        names: how people call themselves.
    """

    kind: HistoryKind
    addresses: tuple[tuple[Jid, Jid], ...]
    names: tuple[tuple[Jid, str], ...]
    chats: tuple[PastChat, ...]
