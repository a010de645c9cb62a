"""What the repository of history takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.store.arrival_records import MessageAct, NewMessage, NewReceipt


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk of history as it came, cut into pieces. Nothing has been made of it yet.

    Attributes:
        id: its own; kept twice, it is one.
        kind: a word of `server.whatsapp.history.HistoryKind`.
        progress: per cent of the history that the phone had given with it.
        own_jid, own_lid: the account whose history it is; the session may belong to another one later.
        received_at: epoch milliseconds.
        pieces: at least one; nobody but their writer knows how to read them.
    """

    id: str
    session_id: str
    kind: str
    progress: int
    own_jid: str
    own_lid: str | None
    received_at: int
    pieces: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """A piece that waits to be stored.

    Attributes:
        number: its own; rises in the order in which pieces were kept.
        session_id, own_jid, own_lid, kind, received_at: its chunk's.
    """

    number: int
    data: bytes
    chunk_id: str
    session_id: str
    kind: str
    own_jid: str
    own_lid: str | None
    received_at: int


@dataclass(frozen=True, slots=True)
class OldChat:
    """A chat as the phone shows it. Times are epoch milliseconds."""

    jid: str
    name: str
    unread_count: int
    archived: bool
    pinned: bool
    muted_until: int | None
    last_message_at: int | None


@dataclass(frozen=True, slots=True)
class OldMessage:
    """A message as the phone knows it now.

    Attributes:
        message: the message; its chat is one of the history's.
        edited_at: epoch milliseconds, 0 where only that it was edited is known; None where it was not.
    """

    message: NewMessage
    edited_at: int | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What a piece of history says. JIDs are as the phone names people: LIDs among them.

    Attributes:
        at: when it was received, epoch milliseconds.
        chats_as_now: whether the chats' settings and counters are those of the phone now.
        addresses: phone-number JIDs by LID.
        names: how people call themselves, by JID.
        changes: reactions to the messages, votes, and how far they came.
    """

    session_id: str
    at: int
    chats_as_now: bool
    addresses: Sequence[tuple[str, str]]
    names: Sequence[tuple[str, str]]
    chats: Sequence[OldChat]
    messages: Sequence[OldMessage]
    changes: Sequence[MessageAct | NewReceipt]
