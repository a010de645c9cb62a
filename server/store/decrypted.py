"""What becomes of a placeholder when its message can be read after all."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, case, select, update

from server.store.arrival_records import NewMessage
from server.store.event_payloads import message_payload
from server.store.names import Names
from server.store.records import UNDECRYPTABLE
from server.store.tables import ChatRow, MessageRow, ReactionRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)
_reaction = table_of(ReactionRow)

DECRYPTED: Final = "message.decrypted"
"""The event of a placeholder that became a message."""

_FILL: Final = (
    update(_message)
    .where(
        _message.c.chat_id
        == select(_chat.c.id)
        .where(_chat.c.session_id == bindparam("session"), _chat.c.jid == bindparam("chat"))
        .scalar_subquery(),
        _message.c.wa_message_id == bindparam("wa_id"),
        _message.c.sender_jid == bindparam("sender"),
        _message.c.type == UNDECRYPTABLE,
        # What was deleted meanwhile, for everyone or here, stays so.
        _message.c.deleted.is_(False),
        _message.c.hidden.is_(False),
    )
    .values(
        type=bindparam("new_type"),
        quoted_id=bindparam("new_quoted_id"),
        # An edit that came first is the newer text.
        **{
            name: case(
                (_message.c.edited, _message.c[name]),
                else_=bindparam(f"new_{name}", type_=_message.c[name].type),
            )
            for name in ("body", "content", "mentions")
        },
    )
    .returning(
        *(_message.c[name] for name in ("id", "body", "mentions", "created_at", "timestamp", "edited"))
    )
)
_REACTIONS: Final = (
    select(_reaction.c.emoji, _reaction.c.sender_jid, _reaction.c.timestamp)
    .where(_reaction.c.message_id == bindparam("message"), _reaction.c.emoji != "")
    .order_by(_reaction.c.timestamp, _reaction.c.sender_jid)
)


def fill_placeholder(
    connection: Connection, message: NewMessage, names: Names
) -> Mapping[str, object] | None:
    """Gives a stored placeholder what its message says, in the transaction of `connection`.

    Args:
        connection: in a transaction.
        message: storable and canonical already, and stored before in some form.
        names: of the people that the payload names.

    Returns:
        The payload of `message.decrypted`, or None where no placeholder of this message is stored: it is the
        same message once more.
    """
    if message.type == UNDECRYPTABLE or message.wa_message_id is None:
        return None
    filled = connection.execute(
        _FILL,
        {
            "session": message.session_id,
            "chat": message.chat_jid,
            "wa_id": message.wa_message_id,
            "sender": message.sender_jid,
            "new_type": message.type,
            "new_body": message.body,
            "new_content": message.content,
            "new_quoted_id": message.quoted_id,
            "new_mentions": list(message.mentions),
        },
    ).first()
    if filled is None:
        return None
    reactions = connection.execute(_REACTIONS, {"message": filled.id})
    return {
        **message_payload(message, filled.id, names),
        "body": filled.body,
        "createdAt": filled.created_at,
        "edited": filled.edited,
        "mentions": filled.mentions,
        "reactions": [
            {"emoji": emoji, "senderJid": sender, "timestamp": timestamp}
            for emoji, sender, timestamp in reactions
        ],
        "timestamp": filled.timestamp,
    }
