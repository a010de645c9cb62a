"""What the port tells that is no message: presences, changes of groups, calls."""

from dataclasses import dataclass
from enum import StrEnum

from server.whatsapp.jid import Jid


class PresenceState(StrEnum):
    """What somebody does at this moment."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    COMPOSING = "composing"
    RECORDING = "recording"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class PresenceShown:
    """Somebody came, went, is typing or stopped.

    Attributes:
        chat, chat_alternative, person, person_alternative: as chat and sender in `incoming.Received`.
        last_seen: when they were last there, epoch milliseconds; None where they do not tell.
    """

    chat: Jid
    chat_alternative: Jid | None
    person: Jid
    person_alternative: Jid | None
    state: PresenceState
    last_seen: int | None = None


class GroupChange(StrEnum):
    """What happened to a group; see `change` in protos/wagate/v1/event_payloads.proto."""

    JOINED = "joined"
    """The account became a member."""
    SUBJECT = "subject"
    DESCRIPTION = "description"
    ANNOUNCE = "announce"
    LOCKED = "locked"
    EPHEMERAL = "ephemeral"
    INVITE = "invite"
    ADDED = "added"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody, as they were named, and by their other name where it is known."""

    jid: Jid
    alternative: Jid | None = None


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group changed, or the account's place in it.

    Attributes:
        actor: who did it, None where WhatsApp does not say.
        participants: whom it was done to.
        value: what it is now; see `value` in protos/wagate/v1/event_payloads.proto.
        timestamp: WhatsApp's time, epoch milliseconds; 0 where WhatsApp tells none.
        subject: the group's name, where it came along.
    """

    group: Jid
    change: GroupChange
    actor: Named | None
    participants: tuple[Named, ...]
    value: str
    timestamp: int
    subject: str = ""


class CallState(StrEnum):
    """How far a call has come."""

    RINGING = "ringing"
    ACCEPTED = "accepted"
    """By another device of the account."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallTold:
    """A step of a call.

    Attributes:
        group: where a whole group is called, None where one person calls.
        video: known only while it rings.
        reason: why it ended, as WhatsApp words it; "" where it says nothing.
        timestamp: WhatsApp's time, epoch milliseconds.
    """

    id: str
    caller: Jid
    caller_alternative: Jid | None
    group: Jid | None
    state: CallState
    video: bool
    reason: str
    timestamp: int


Happening = PresenceShown | GroupChanged | CallTold
