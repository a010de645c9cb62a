"""What sessions received, as it goes into the stored copy: plain values without a database behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be stored, with the chat that it belongs to.

    Attributes:
        chat_jid: the chat's canonical JID (a phone number's where it is known).
        chat_name: the person's or group's name, "" where unknown.
        wa_message_id: None for a send whose id nobody knows.
        timestamp: WhatsApp's time, epoch milliseconds.
        created_at: when it was received or its sending began, epoch milliseconds; orders messages
            within the same second of WhatsApp's time.
        lid, phone_jid: an address pair that came with it, or None.
        quoted_id: the WhatsApp id of the message that it answers.
        mentions: JIDs that it mentions.
    """

    session_id: str
    chat_jid: str
    chat_name: str
    wa_message_id: str | None
    sender_jid: str
    from_me: bool
    type: str
    body: str
    ack_level: int
    error: str | None
    timestamp: int
    created_at: int
    content: bytes
    lid: str | None = None
    phone_jid: str | None = None
    quoted_id: str | None = None
    mentions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewEdit:
    """A message says something else now.

    Attributes:
        content: its `waE2E.Message`, serialised; empty where nobody knows it.
    """

    body: str
    content: bytes
    mentions: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewRevoke:
    """A message was deleted for everyone."""


@dataclass(frozen=True, slots=True)
class NewReaction:
    """Somebody reacted; "" takes an earlier reaction back."""

    emoji: str


@dataclass(frozen=True, slots=True)
class NewVote:
    """Somebody voted in a poll.

    Attributes:
        options: all that they have chosen, by their texts; none takes an earlier vote back.
    """

    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewSealed:
    """A vote, a reaction or an edit that only who has the message can read; see `server.store.contents`.

    Attributes:
        use: what it was sealed as, a word of WhatsApp's.
        iv, payload: the sealed act.
        authors: names of who wrote the message, one of which it was sealed under.
        actors: the same for who acted.
    """

    use: str
    iv: bytes
    payload: bytes
    authors: Sequence[str]
    actors: Sequence[str]


OpenDeed = NewEdit | NewRevoke | NewReaction | NewVote
"""What somebody did to a message, to be read."""


@dataclass(frozen=True, slots=True)
class MessageAct:
    """What somebody did to a message that may be stored. JIDs are canonical.

    Attributes:
        wa_message_id, sender_jid: which message: its id, and who wrote it.
        actor_jid: who did it.
        timestamp: when, epoch milliseconds; of two edits of a message, or two reactions or votes of a
            person, the later one counts.
        at: when it was received, epoch milliseconds.
        lid, phone_jid: an address pair that came with it, or None.
        is_newest: whether it counts whatever the clocks say: WhatsApp took it from this device just now.
    """

    session_id: str
    chat_jid: str
    wa_message_id: str
    sender_jid: str
    actor_jid: str
    timestamp: int
    at: int
    deed: OpenDeed | NewSealed
    lid: str | None = None
    phone_jid: str | None = None
    is_newest: bool = False


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """How far one of the account's own messages came with somebody. JIDs are canonical.

    Attributes:
        ack_level: 2 delivered, 3 read, 4 played.
        timestamp: WhatsApp's time, epoch milliseconds.
        at: when it was received, epoch milliseconds.
        lid, phone_jid: as in `MessageAct`.
    """

    session_id: str
    chat_jid: str
    wa_message_id: str
    participant_jid: str
    ack_level: int
    timestamp: int
    at: int
    lid: str | None = None
    phone_jid: str | None = None


@dataclass(frozen=True, slots=True)
class NewHappening:
    """Something that is told and not stored, but for a chat's name that may have come along.

    Attributes:
        name: the event's.
        payload: the event's, but for what the following two add to it.
        people: whom the payload names, by the beginning of their fields' names ("chat" for `chatJid` and
            `chatLid`): canonical JIDs, None for somebody who is not known.
        participants: canonical JIDs for the payload's list of that name; None where it has none.
        at: when it was received, epoch milliseconds.
        chat_jid, chat_name: what a chat is called from now on; the chat is made where it is not there. ""
            where it tells nothing of that.
        learned: address pairs that came with it: LID and phone-number JID.
    """

    session_id: str
    name: str
    payload: Mapping[str, object]
    people: Mapping[str, str | None]
    participants: Sequence[str] | None
    at: int
    chat_jid: str = ""
    chat_name: str = ""
    learned: Sequence[tuple[str, str]] = ()


Arrival = NewMessage | MessageAct | NewReceipt | NewHappening
"""What a session received."""


def learned_from(arrival: Arrival) -> Sequence[tuple[str, str]]:
    """The address pairs that came with an arrival: LID and phone-number JID."""
    if isinstance(arrival, NewHappening):
        return arrival.learned
    return [(arrival.lid, arrival.phone_jid)] if arrival.lid and arrival.phone_jid else ()
