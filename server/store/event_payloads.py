"""What events about messages carry: docs/events.md describes every field."""

from collections.abc import Mapping
from typing import Final

from server.store.records import MEDIA_TYPES, NewMessage

STATUS_WORDS: Final = {2: "delivered", 3: "read", 4: "played"}
"""The status that a receipt's ack level stands for."""


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
