"""Makes one person of two: a LID under which chats and messages stand, and the number it turned out to be."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from server.store.marks import ALL_MARKS, Marks
from server.store.records import UNDECRYPTABLE
from server.store.tables import ChatRow, MessageRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)
_twin = _message.alias("twin")

_GROUP: Final = "@g.us"
"""How a group's JID ends."""

_CHANGE_MESSAGE = update(_message).where(_message.c.id == bindparam("row"))


def unite(connection: Connection, session_id: str, phones: Mapping[str, str]) -> None:
    """Moves what stands under LIDs to phone numbers, in the transaction of `connection`.

    A message that was stored under both is one message afterwards: what was done to either (edited, deleted,
    hidden, reactions, votes, receipts) is kept, and it counts once among the unread ones.

    Args:
        connection: in a transaction.
        session_id: whose chats.
        phones: phone-number JIDs by LID.
    """
    for lid, phone in phones.items():
        _rename_sender(connection, session_id, lid, phone)
        _move_chat(connection, session_id, lid, phone)
        for marks in ALL_MARKS:
            _rename_marks(connection, session_id, marks, lid, phone)


def _rename_sender(connection: Connection, session_id: str, lid: str, phone: str) -> None:
    # Where a person can have written: in their own chat and in groups.
    own = _chat.c.jid.in_((lid, phone)) | _chat.c.jid.endswith(_GROUP)
    chats = select(_chat.c.id).where(_chat.c.session_id == session_id, own)
    theirs = _message.c.chat_id.in_(chats) & (_message.c.sender_jid == lid)
    if connection.execute(select(_message.c.id).where(theirs).limit(1)).first() is None:
        return
    _fold(connection, theirs & (_twin.c.chat_id == _message.c.chat_id) & (_twin.c.sender_jid == phone))
    connection.execute(update(_message).where(theirs).values(sender_jid=phone))


def _move_chat(connection: Connection, session_id: str, lid: str, phone: str) -> None:
    both = select(_chat).where(_chat.c.session_id == session_id, _chat.c.jid.in_((lid, phone)))
    found = {row.jid: row for row in connection.execute(both)}
    if lid not in found:
        return
    old_id: int = found[lid].id
    if phone not in found:
        connection.execute(update(_chat).where(_chat.c.id == old_id).values(jid=phone))
        return
    stays = found[phone]
    in_old = _message.c.chat_id == old_id
    same_sender = _twin.c.sender_jid == _message.c.sender_jid
    _fold(connection, in_old & (_twin.c.chat_id == stays.id) & same_sender)
    connection.execute(update(_message).where(in_old).values(chat_id=stays.id))
    # Read again: folding has counted the unread ones anew.
    old = connection.execute(select(_chat).where(_chat.c.id == old_id)).one()
    connection.execute(
        update(_chat)
        .where(_chat.c.id == stays.id)
        .values(
            name=stays.name or old.name,
            last_message_at=max(stays.last_message_at or 0, old.last_message_at or 0) or None,
            unread_count=_chat.c.unread_count + old.unread_count,
            archived=stays.archived and old.archived,
            pinned=stays.pinned or old.pinned,
            muted_until=max(stays.muted_until or 0, old.muted_until or 0) or None,
        )
    )
    connection.execute(delete(_chat).where(_chat.c.id == old_id))


def _fold(connection: Connection, alike: ColumnElement[bool]) -> None:
    """Makes one message of two with the same id; the chat of the one that goes has one unread less.

    Args:
        connection: in a transaction.
        alike: what a message and its twin, which stays, have in common beside their id.
    """
    same_id = (_twin.c.wa_message_id == _message.c.wa_message_id) & (_twin.c.id != _message.c.id)
    twins = connection.execute(select(_message.c.id, _twin.c.id.label("stays")).where(alike, same_id)).all()
    uncounted: Counter[int] = Counter()
    for twin in twins:
        goes, stays = twin.id, twin.stays
        old, new = (
            connection.execute(select(_message).where(_message.c.id == row_id)).one()
            for row_id in (goes, stays)
        )
        changes: dict[str, object] = {"ack_level": max(old.ack_level, new.ack_level)}
        if new.type == UNDECRYPTABLE:
            told = ("type", "body", "content", "quoted_id", "mentions")
            changes |= {what: getattr(old, what) for what in told}
        for what in ("edited", "deleted", "hidden"):
            if getattr(old, what) and not getattr(new, what):
                changes |= {what: True, "body": old.body, "content": old.content, "edited_at": old.edited_at}
        connection.execute(_CHANGE_MESSAGE.values(changes), {"row": stays})
        for marks in ALL_MARKS:
            left = [{**row._mapping, "message_id": stays} for row in marks.of_messages(connection, [goes])]  # noqa: SLF001 - SQLAlchemy's public name for it
            marks.put(connection, left)
        connection.execute(delete(_message).where(_message.c.id == goes))
        uncounted[old.chat_id] += not old.from_me
    for chat_id, count in uncounted.items():
        unread: int = connection.execute(
            select(_chat.c.unread_count).where(_chat.c.id == chat_id)
        ).scalar_one()
        fewer = max(0, unread - count)
        connection.execute(update(_chat).where(_chat.c.id == chat_id).values(unread_count=fewer))


def _rename_marks(connection: Connection, session_id: str, marks: Marks, lid: str, phone: str) -> None:
    # One person at a time: with several SQLite would rather look through all of the session's messages.
    table, who = marks.table, marks.table.c[marks.who]
    theirs = (
        select(table)
        .join(_message, _message.c.id == table.c.message_id)
        .join(_chat, _chat.c.id == _message.c.chat_id)
        .where(_chat.c.session_id == session_id, who == lid)
    )
    found = connection.execute(theirs).mappings().all()
    if not found:
        return
    connection.execute(
        delete(table).where(who == lid, table.c.message_id == bindparam("message")),
        [{"message": row["message_id"]} for row in found],
    )
    marks.put(connection, [{**row, marks.who: phone} for row in found])
