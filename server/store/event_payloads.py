"""What events carry: docs/events.md describes every field."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, select

from server.store.addresses import Person
from server.store.arrival_records import NewMessage
from server.store.names import Names
from server.store.records import MEDIA_TYPES, Chat
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)

MESSAGE: Final = "message"
"""The event of a message that was stored."""
CHAT_UPDATED: Final = "chat.updated"
"""The event of a chat that changed beside its messages, or is gone."""

STATUS_WORDS: Final = {2: "delivered", 3: "read", 4: "played"}
"""The status that a receipt's ack level stands for."""

_OWNERS: Final = select(_session.c.id, _session.c.organization_id).where(
    _session.c.id.in_(bindparam("sessions", expanding=True))
)


def organizations_of(connection: Connection, sessions: Iterable[str]) -> Mapping[str, str]:
    """The organizations to whose logs the events of sessions belong."""
    rows = connection.execute(_OWNERS, {"sessions": sorted(sessions)})
    return {row.id: row.organization_id for row in rows}


def message_people(messages: Iterable[NewMessage]) -> set[Person]:
    """Whose names `message_payload` needs."""
    return {(m.session_id, jid) for m in messages for jid in (m.chat_jid, m.sender_jid)}


def message_payload(message: NewMessage, row_id: int, names: Names) -> Mapping[str, object]:
    """The payload of `message`: the REST API's Message, as it was when it was stored."""
    session_id = message.session_id
    return {
        "ackLevel": message.ack_level,
        "body": message.body,
        **names.both(session_id, message.chat_jid, "chat"),
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
        **names.both(session_id, message.sender_jid, "sender"),
        "sessionId": session_id,
        "timestamp": message.timestamp,
        "type": message.type,
        "waMessageId": message.wa_message_id or "",
    }


def chat_payload(chat: Chat) -> Mapping[str, object]:
    """The REST API's Chat, as events carry it."""
    return {
        "archived": chat.archived,
        "id": chat.id,
        "jid": chat.jid,
        "lastMessageAt": chat.last_message_at,
        "mutedUntil": chat.muted_until,
        "name": chat.name,
        "pinned": chat.pinned,
        "sessionId": chat.session_id,
        "type": "group" if chat.jid.endswith("@g.us") else "dm",
        "unreadCount": chat.unread_count,
    }
