"""Acts and receipts with everything filled in, and what the event log holds."""

from dataclasses import dataclass

from sqlalchemy import select

from server.store.arrival_records import MessageAct, NewEdit, NewReceipt, NewSealed, OpenDeed
from server.store.database import Database
from server.store.tables import EventRow, table_of
from tests.support.event_schemas import problems

ADA = "628120000001@s.whatsapp.net"
_event = table_of(EventRow)


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it stands in the log."""

    name: str
    payload: dict[str, object]


async def logged(database: Database) -> list[Logged]:
    """All events, in the order in which readers see them; each must be as the protos say."""
    statement = select(_event.c.name, _event.c.payload).order_by(_event.c.id)
    rows = await database.read(lambda connection: connection.execute(statement).all())
    assert not [line for name, payload in rows for line in problems(name, payload)]
    return [Logged(name, payload) for name, payload in rows]


def an_act(
    session_id: str,
    wa_message_id: str,
    deed: OpenDeed | NewSealed,
    *,
    chat_jid: str = ADA,
    sender_jid: str = ADA,
    actor_jid: str = ADA,
    timestamp: int = 5_000,
    address: tuple[str, str] | None = None,
) -> MessageAct:
    """What Ada did to a message of hers; `address` is a (LID, phone-number JID) pair that came with it."""
    return MessageAct(
        session_id=session_id,
        chat_jid=chat_jid,
        wa_message_id=wa_message_id,
        sender_jid=sender_jid,
        actor_jid=actor_jid,
        timestamp=timestamp,
        at=6_000,
        deed=deed,
        lid=address[0] if address else None,
        phone_jid=address[1] if address else None,
    )


def an_edit(text: str) -> NewEdit:
    """A new text."""
    return NewEdit(text, b"\x0a\x05hello", ())


def a_receipt(
    session_id: str, wa_message_id: str, level: int, *, by: str = ADA, chat_jid: str = ADA
) -> NewReceipt:
    """How far an own message came with somebody."""
    return NewReceipt(
        session_id=session_id,
        chat_jid=chat_jid,
        wa_message_id=wa_message_id,
        participant_jid=by,
        ack_level=level,
        timestamp=5_000,
        at=6_000,
    )
