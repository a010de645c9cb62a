"""What is stored of a message that was sent, or may have been."""

from dataclasses import dataclass

from server.messages.results import ACK_FAILED, ACK_SENT, ACK_UNKNOWN, SendStatus
from server.store.arrival_records import NewMessage
from server.store.records import NewEvent, Session
from server.whatsapp.content import Contact, Content, Location, Poll, Text
from server.whatsapp.jid import Jid
from server.whatsapp.port import Sent


@dataclass(frozen=True, slots=True)
class Shown:
    """How a message appears in the stored copy: a word of the API's types, and what a person reads first."""

    type: str
    body: str


_ACKS = {SendStatus.SENT: ACK_SENT, SendStatus.INDETERMINATE: ACK_UNKNOWN, SendStatus.FAILED: ACK_FAILED}


def shown(content: Content) -> Shown:
    """How a message with this content appears.

    Raises:
        TypeError: the content is no message of its own, or stands for one that only its sender knows.
    """
    match content:
        case Text(text=text):
            return Shown("text", text)
        case Poll(question=question):
            return Shown("poll", question)
        case Location(name=name):
            return Shown("location", name)
        case Contact(name=name):
            return Shown("contact", name)
        case _:
            raise TypeError(f"a {type(content).__name__} is stored as something else")


def message_of(
    session: Session,
    chat: Jid,
    content: Content,
    *,
    status: SendStatus,
    began: int,
    sent: Sent | None = None,
    reason: str | None = None,
    appearance: Shown | None = None,
) -> NewMessage:
    """The message to store.

    Args:
        session: who sent.
        chat: its canonical JID.
        content: what was sent.
        status: SENT, INDETERMINATE or FAILED.
        began: when its sending began, epoch milliseconds.
        sent: WhatsApp's answer, where there was one.
        reason: why it failed.
        appearance: how it appears, where `content` does not tell.
    """
    look = appearance or shown(content)
    quote = content.quote if isinstance(content, Text) else None
    mentions = content.mentions if isinstance(content, Text) else ()
    return NewMessage(
        session_id=session.id,
        chat_jid=str(chat),
        chat_name="",
        wa_message_id=sent.id if sent is not None else None,
        sender_jid=session.wa_jid or "",
        from_me=True,
        type=look.type,
        body=look.body,
        ack_level=_ACKS[status],
        error=None if status is SendStatus.SENT else reason or str(status),
        timestamp=sent.timestamp if sent is not None else began,
        created_at=began,
        content=sent.content if sent is not None else b"",
        quoted_id=quote.id if quote is not None else None,
        mentions=[str(jid) for jid in mentions],
    )


def status_event(
    session: Session,
    chat: Jid,
    *,
    status: SendStatus,
    timestamp: int,
    sent: Sent | None = None,
    outbox_id: str = "",
    reason: str | None = None,
) -> NewEvent:
    """The `message.status` event of a message whose final state is known, but for its chat's LID.

    `timestamp` is epoch milliseconds. Whoever appends it looks the LID up (`server.store.outcomes`).
    """
    return NewEvent(
        organization_id=session.organization_id,
        session_id=session.id,
        name="message.status",
        timestamp=timestamp,
        payload={
            "ackLevel": _ACKS[status],
            "chatJid": str(chat),
            "error": reason,
            "outboxId": outbox_id,
            "participantJid": None,
            "participantLid": None,
            "status": str(status),
            "timestamp": sent.timestamp if sent is not None else 0,
            "waMessageId": sent.id if sent is not None else "",
        },
    )
