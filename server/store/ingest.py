"""Writes a batch of messages: three statements, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, case, func, update

from server.store.arrival_records import NewEdit, NewMessage, NewReaction, NewRevoke, NewVote, OpenDeed
from server.store.dialect import insert
from server.store.tables import ChatRow, MessageRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)

_REPLACEMENT: Final = "\ufffd"

_ChatIds = Mapping[tuple[str, str], int]
_Key = tuple[int, str, str]

# Statements are built once and take their rows as parameters: building one costs as much as running it.
_COUNT_UNREAD = (
    update(_chat)
    .where(_chat.c.id == bindparam("chat"))
    .values(unread_count=_chat.c.unread_count + bindparam("more"))
)


@cache
def _touch(dialect: str) -> Executable:
    statement = insert(dialect, _chat)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["session_id", "jid"],
        set_={
            "name": func.coalesce(func.nullif(new.name, ""), _chat.c.name),
            "last_message_at": case(
                (new.last_message_at > func.coalesce(_chat.c.last_message_at, 0), new.last_message_at),
                else_=_chat.c.last_message_at,
            ),
        },
    ).returning(_chat.c.session_id, _chat.c.jid, _chat.c.id)


@cache
def _insert_new(dialect: str) -> Executable:
    return (
        insert(dialect, _message)
        .on_conflict_do_nothing(index_elements=["chat_id", "sender_jid", "wa_message_id"])
        .returning(_message.c.chat_id, _message.c.sender_jid, _message.c.wa_message_id, _message.c.id)
    )


def storable(messages: Sequence[NewMessage]) -> Sequence[NewMessage]:
    """The messages without the character 0, which people can send and PostgreSQL cannot keep."""
    return [_storable(message) for message in messages]


def insert_messages(connection: Connection, messages: Sequence[NewMessage]) -> list[int | None]:
    """Stores messages and their chats in the transaction of `connection`.

    Args:
        connection: in a transaction.
        messages: storable and canonical already.

    Returns:
        For each message its row id, or None where it was stored before.
    """
    if not messages:
        return []
    chats = _touch_chats(connection, messages)
    stored = _insert_identified(connection, messages, chats)
    results: list[int | None] = []
    unread: dict[int, int] = {}
    for message in messages:
        chat_id = chats[message.session_id, message.chat_jid]
        if message.wa_message_id is None:
            results.append(_insert_unidentified(connection, message, chat_id))
            continue
        # pop: the same message twice in one batch is new only once.
        row_id = stored.pop((chat_id, message.sender_jid, message.wa_message_id), None)
        results.append(row_id)
        if row_id is not None and not message.from_me:
            unread[chat_id] = unread.get(chat_id, 0) + 1
    if unread:
        connection.execute(
            _COUNT_UNREAD, [{"chat": chat_id, "more": more} for chat_id, more in unread.items()]
        )
    return results


def storable_text(text: str) -> str:
    """A text without the character 0."""
    return text.replace("\0", _REPLACEMENT)


def storable_deed(deed: OpenDeed) -> OpenDeed:
    """What was done to a message, without the character 0."""
    match deed:
        case NewEdit():
            return replace(deed, body=storable_text(deed.body))
        case NewReaction(emoji):
            return NewReaction(storable_text(emoji))
        case NewVote(options):
            return NewVote([storable_text(option) for option in options])
        case NewRevoke():
            return deed


def _storable(message: NewMessage) -> NewMessage:
    wa_message_id = message.wa_message_id
    if "\0" not in message.body and "\0" not in message.chat_name and "\0" not in (wa_message_id or ""):
        return message
    return replace(
        message,
        body=storable_text(message.body),
        chat_name=storable_text(message.chat_name),
        wa_message_id=wa_message_id and storable_text(wa_message_id),
    )


def _touch_chats(connection: Connection, messages: Sequence[NewMessage]) -> _ChatIds:
    touched: dict[tuple[str, str], dict[str, object]] = {}
    for message in messages:
        chat = touched.setdefault(
            (message.session_id, message.chat_jid),
            {
                "session_id": message.session_id,
                "jid": message.chat_jid,
                "name": "",
                "last_message_at": message.timestamp,
                "unread_count": 0,
                "archived": False,
                "pinned": False,
            },
        )
        chat["name"] = message.chat_name or chat["name"]
        chat["last_message_at"] = max(message.timestamp, int(str(chat["last_message_at"])))
    rows = (connection.execute(_touch(connection.dialect.name), list(touched.values()))).all()
    return {(session_id, jid): row_id for session_id, jid, row_id in rows}


def _insert_identified(
    connection: Connection, messages: Sequence[NewMessage], chats: _ChatIds
) -> dict[_Key, int]:
    rows = [
        message_row(message, chats[message.session_id, message.chat_jid])
        for message in messages
        if message.wa_message_id is not None
    ]
    if not rows:
        return {}
    found = (connection.execute(_insert_new(connection.dialect.name), rows)).all()
    return {(chat_id, sender, wa_id): row_id for chat_id, sender, wa_id, row_id in found}


def _insert_unidentified(connection: Connection, message: NewMessage, chat_id: int) -> int:
    statement = _message.insert().values(message_row(message, chat_id)).returning(_message.c.id)
    row_id: int = (connection.execute(statement)).scalar_one()
    return row_id


def message_row(message: NewMessage, chat_id: int) -> dict[str, object]:
    """The row of a message to which nothing has been done."""
    return {
        "chat_id": chat_id,
        "wa_message_id": message.wa_message_id,
        "sender_jid": message.sender_jid,
        "from_me": message.from_me,
        "type": message.type,
        "body": message.body,
        "ack_level": message.ack_level,
        "error": message.error,
        "timestamp": message.timestamp,
        "created_at": message.created_at,
        "content": message.content,
        "quoted_id": message.quoted_id,
        "mentions": list(message.mentions),
        "edited": False,
        "deleted": False,
        "hidden": False,
    }
