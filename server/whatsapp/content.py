"""What can be sent."""

from dataclasses import dataclass

from server.whatsapp.jid import Jid


@dataclass(frozen=True, slots=True)
class Target:
    """A message that another one acts on.

    Attributes:
        id: WhatsApp's id.
        sender: who sent it, without a device part, best as they were addressed in that chat
            (`Received.sender`). The client translates what it can: in chats with one person always, in
            groups once it has seen how the group is addressed.
        from_me: whether this account did.
    """

    id: str
    sender: Jid
    from_me: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A message that a text answers.

    Attributes:
        id: WhatsApp's id.
        sender: who sent it; as in `Target`.
        content: its `waE2E.Message`, serialised; empty where the stored copy has none.
    """

    id: str
    sender: Jid
    content: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """A text.

    Attributes:
        quote: what it answers, or None.
        mentions: people whom it mentions; the text names them as `@<user>`, so they are sent as given.
        forwarded: how often it was forwarded; 0 for an original.
    """

    text: str
    quote: Quote | None = None
    mentions: tuple[Jid, ...] = ()
    forwarded: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll.

    Attributes:
        selectable: how many options a voter may pick; 0 means all of them.
    """

    question: str
    options: tuple[str, ...]
    selectable: int


@dataclass(frozen=True, slots=True)
class Location:
    """A place, in decimal degrees; `name` may be ""."""

    latitude: float
    longitude: float
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact card.

    Attributes:
        name: what the card is shown as.
        vcard: the card itself.
    """

    name: str
    vcard: str


@dataclass(frozen=True, slots=True)
class Forward:
    """A copy of another message, marked as forwarded once more than that one was.

    Nothing of what surrounded the original goes with it: no quote, no mentions, no secrets. A poll's copy is
    a poll of its own.

    Attributes:
        content: its `waE2E.Message`, serialised.
    """

    content: bytes


@dataclass(frozen=True, slots=True)
class Edit:
    """A new text for an own text message."""

    target: Target
    text: str


@dataclass(frozen=True, slots=True)
class Revoke:
    """Deletes a message for everyone in the chat."""

    target: Target


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to a message; the emoji "" takes the earlier one back."""

    target: Target
    emoji: str


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote in a poll: the complete choice, by the options' texts; none takes the vote back.

    The device must have got the poll itself: its key is in the device's store and nowhere else.
    """

    poll: Target
    options: tuple[str, ...]


Content = Text | Poll | Location | Contact | Forward | Edit | Revoke | Reaction | Vote
"""What can be sent."""
