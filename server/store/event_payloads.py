"""What events about messages carry: docs/events.md describes every field."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, select

from server.store.records import MEDIA_TYPES, NewMessage
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)

MESSAGE: Final = "message"
"""The event of a message that was stored."""

STATUS_WORDS: Final = {2: "delivered", 3: "read", 4: "played"}
"""The status that a receipt's ack level stands for."""

_OWNERS: Final = select(_session.c.id, _session.c.organization_id).where(
    _session.c.id.in_(bindparam("sessions", expanding=True))
)


def organizations_of(connection: Connection, sessions: Iterable[str]) -> Mapping[str, str]:
    """The organizations to whose logs the events of sessions belong."""
    rows = connection.execute(_OWNERS, {"sessions": sorted(sessions)})
    return {row.id: row.organization_id for row in rows}


def message_payload(message: NewMessage, row_id: int) -> Mapping[str, object]:
    """The payload of `message`: the REST API's Message, as it was when it was stored."""
    return {
        "ackLevel": message.ack_level,
        "body": message.body,
        "chatJid": message.chat_jid,
        "createdAt": message.created_at,
        "deleted": False,
        "direction": "out" if message.from_me else "in",
        "edited": False,
        "error": message.error,
        "fromMe": message.from_me,
        "hasMedia": message.type in MEDIA_TYPES,
        "id": row_id,
        "mentions": list(message.mentions),
        "quotedId": message.quoted_id,
        "reactions": [],
        "senderJid": message.sender_jid,
        "sessionId": message.session_id,
        "timestamp": message.timestamp,
        "type": message.type,
        "waMessageId": message.wa_message_id or "",
    }
