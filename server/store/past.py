"""Writes a piece of history into the stored copy, behind what is there already.

History comes after live messages as often as before them. So whatever it says of a message that is stored
only adds: a reaction, a level that is higher, an edit that is newer, a deletion. What it says of a chat fills
in what nobody has set. Old messages are no events; what they change of what was told before is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    bindparam,
    case,
    func,
    or_,
    select,
    tuple_,
    update,
)

from server.store.addresses import learn_pairs, phone_jids
from server.store.arrival_records import MessageAct, NewEdit, NewMessage, NewReceipt, NewRevoke
from server.store.arrivals import MESSAGE_RANK, Batch, Happened, append, storable_change, store_changes
from server.store.changes import Change, apply_changes
from server.store.chat_changes import tell_chats
from server.store.contents import Contents
from server.store.decrypted import DECRYPTED, fill_placeholder
from server.store.dialect import insert
from server.store.event_payloads import message_people
from server.store.history_records import OldChat, OldMessage, Past
from server.store.ingest import message_row, storable, storable_text
from server.store.names import names_of
from server.store.portions import portions
from server.store.records import UNDECRYPTABLE
from server.store.tables import ChatRow, MessageRow, PushNameRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)
_name = table_of(PushNameRow)

_LID: Final = "@lid"
"""How a LID ends."""
_GROUP: Final = "@g.us"
"""How a group's JID ends; with whom its messages came how far stands among the changes."""
_NAME_CHAT: Final = update(_chat).where(_chat.c.id == bindparam("row")).values(name=bindparam("new_name"))
_SHOWN: Final = [_chat.c[name] for name in ("name", "unread_count", "archived", "pinned", "muted_until")]
"""What of a chat is an event when it changes."""


@dataclass(frozen=True, slots=True)
class Added:
    """How many chats and messages were not there before."""

    chats: int
    messages: int


@cache
def _remember_names(dialect: str) -> Executable:
    statement = insert(dialect, _name)
    return statement.on_conflict_do_update(
        index_elements=["session_id", "jid"], set_={"name": statement.excluded.name}
    )


@cache
def _add_chats(dialect: str, *, as_now: bool) -> Executable:
    statement = insert(dialect, _chat)
    new = statement.excluded
    newer = new.last_message_at > func.coalesce(_chat.c.last_message_at, 0)
    values: dict[str, ColumnElement[Any]] = {
        "name": case((_chat.c.name == "", new.name), else_=_chat.c.name),
        "last_message_at": case((newer, new.last_message_at), else_=_chat.c.last_message_at),
    }
    if as_now:
        more = new.unread_count > _chat.c.unread_count
        values |= {
            "unread_count": case((more, new.unread_count), else_=_chat.c.unread_count),
            "archived": or_(_chat.c.archived, new.archived),
            "pinned": or_(_chat.c.pinned, new.pinned),
            "muted_until": func.coalesce(_chat.c.muted_until, new.muted_until),
        }
    return statement.on_conflict_do_update(index_elements=["session_id", "jid"], set_=values).returning(
        _chat.c.jid, _chat.c.id, *_SHOWN
    )


@cache
def _add_messages(dialect: str) -> Executable:
    return (
        insert(dialect, _message)
        .on_conflict_do_nothing(index_elements=["chat_id", "sender_jid", "wa_message_id"])
        .returning(_message.c.chat_id, _message.c.sender_jid, _message.c.wa_message_id)
    )


def store_past(connection: Connection, past: Past, contents: Contents) -> Added:
    """Stores a piece of history. Stored twice, it changes nothing.

    Args:
        connection: in a transaction that has taken its turn for the session.
        past: the piece.
        contents: reads polls and what is sealed.

    Returns:
        What was not there before.
    """
    learn_pairs(connection, {(past.session_id, lid): phone for lid, phone in past.addresses})
    past = _canonical(connection, past)
    _store_names(connection, past)
    if not past.chats:
        return Added(0, 0)
    known = _names_of(connection, past.session_id, [chat.jid for chat in past.chats if not chat.name])
    chats = [replace(chat, name=chat.name or known.get(chat.jid, "")) for chat in past.chats]
    before = {row.id: row for row in _chats_called(connection, past.session_id, [chat.jid for chat in chats])}
    rows = _store_chats(connection, past, chats)
    tell_chats(
        connection, [row.id for row in rows if row.id in before and _differ(row, before[row.id])], at=past.at
    )
    added = _store_messages(connection, past, {row.jid: row.id for row in rows}, contents)
    return Added(len(rows) - len(before), added)


def _differ(now: Row[Any], before: Row[Any]) -> bool:
    return any(now._mapping[column.name] != before._mapping[column.name] for column in _SHOWN)  # noqa: SLF001 - SQLAlchemy's public name for it


def _canonical(connection: Connection, past: Past) -> Past:
    """The same with one name for each person, and each chat and message once."""
    people = {
        jid
        for jid in (
            *(chat.jid for chat in past.chats),
            *(jid for jid, _ in past.names),
            *(old.message.sender_jid for old in past.messages),
            *(jid for old in past.messages for jid in old.message.mentions),
            *(jid for change in past.changes for jid in _people(change)),
        )
        if jid.endswith(_LID)
    }
    known = phone_jids(connection, sorted((past.session_id, jid) for jid in people))
    phones = {lid: phone for (_, lid), phone in known.items()}

    def called(jid: str) -> str:
        return phones.get(jid, jid)

    plain = storable([old.message for old in past.messages])
    messages = [
        replace(
            old,
            message=replace(
                message,
                chat_jid=called(message.chat_jid),
                sender_jid=called(message.sender_jid),
                mentions=[called(jid) for jid in message.mentions],
            ),
        )
        for old, message in zip(past.messages, plain, strict=True)
    ]
    return replace(
        past,
        names=[(called(jid), storable_text(name)) for jid, name in past.names],
        chats=_once(
            replace(chat, jid=called(chat.jid), name=storable_text(chat.name)) for chat in past.chats
        ),
        messages=_latest(messages),
        changes=[_renamed(storable_change(change), called) for change in past.changes],
    )


def _people(change: Change) -> tuple[str, str]:
    if isinstance(change, NewReceipt):
        return change.chat_jid, change.participant_jid
    return change.sender_jid, change.actor_jid


def _renamed(change: Change, called: Callable[[str], str]) -> Change:
    chat_jid = called(change.chat_jid)
    if isinstance(change, NewReceipt):
        return replace(change, chat_jid=chat_jid, participant_jid=called(change.participant_jid))
    return replace(
        change,
        chat_jid=chat_jid,
        sender_jid=called(change.sender_jid),
        actor_jid=called(change.actor_jid),
    )


def _once(chats: Iterable[OldChat]) -> Sequence[OldChat]:
    """Chats with a person who is named in both ways become one."""
    found: dict[str, OldChat] = {}
    for chat in chats:
        other = found.get(chat.jid)
        if other is not None:
            chat = OldChat(  # noqa: PLW2901 - both names mean the same chat
                jid=chat.jid,
                name=other.name or chat.name,
                unread_count=max(other.unread_count, chat.unread_count),
                archived=other.archived and chat.archived,
                pinned=other.pinned or chat.pinned,
                muted_until=other.muted_until or chat.muted_until,
                last_message_at=max(other.last_message_at or 0, chat.last_message_at or 0) or None,
            )
        found[chat.jid] = chat
    return list(found.values())


def _latest(messages: Iterable[OldMessage]) -> Sequence[OldMessage]:
    """Of a message that stands there several times, the form that was made last."""
    found: dict[tuple[str, str, str | None], OldMessage] = {}
    for old in messages:
        key = (old.message.chat_jid, old.message.sender_jid, old.message.wa_message_id)
        other = found.get(key)
        if other is None or _age(old) >= _age(other):
            found[key] = old
    return list(found.values())


def _age(old: OldMessage) -> tuple[bool, int]:
    return old.deleted, -1 if old.edited_at is None else old.edited_at


def _store_names(connection: Connection, past: Past) -> None:
    if not past.names:
        return
    names = dict(past.names)
    rows = [{"session_id": past.session_id, "jid": jid, "name": name} for jid, name in sorted(names.items())]
    connection.execute(_remember_names(connection.dialect.name), rows)
    nameless = [row for row in _chats_called(connection, past.session_id, list(names)) if not row.name]
    if nameless:
        connection.execute(_NAME_CHAT, [{"row": row.id, "new_name": names[row.jid]} for row in nameless])
        tell_chats(connection, [row.id for row in nameless], at=past.at)


def _names_of(connection: Connection, session_id: str, jids: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for some in portions(jids):
        statement = select(_name.c.jid, _name.c.name).where(
            _name.c.session_id == session_id, _name.c.jid.in_(some)
        )
        found.update((row.jid, row.name) for row in connection.execute(statement))
    return found


def _chats_called(connection: Connection, session_id: str, jids: Sequence[str]) -> Sequence[Row[Any]]:
    found: list[Row[Any]] = []
    for some in portions(jids):
        statement = select(_chat.c.id, _chat.c.jid, *_SHOWN).where(
            _chat.c.session_id == session_id, _chat.c.jid.in_(some)
        )
        found += connection.execute(statement).all()
    return found


def _store_chats(connection: Connection, past: Past, chats: Sequence[OldChat]) -> Sequence[Row[Any]]:
    """Returns the chats' rows as they are now."""
    newest: dict[str, int] = {}
    for old in past.messages:
        at = newest.get(old.message.chat_jid, 0)
        newest[old.message.chat_jid] = max(at, old.message.timestamp)
    rows = [
        {
            "session_id": past.session_id,
            "jid": chat.jid,
            "name": chat.name,
            "last_message_at": max(chat.last_message_at or 0, newest.get(chat.jid, 0)) or None,
            "unread_count": chat.unread_count,
            "archived": chat.archived,
            "pinned": chat.pinned,
            "muted_until": chat.muted_until,
        }
        # In one order everywhere: two writers never wait for each other in a ring.
        for chat in sorted(chats, key=lambda chat: chat.jid)
    ]
    statement = _add_chats(connection.dialect.name, as_now=past.chats_as_now)
    return connection.execute(statement, rows).all()


def _store_messages(connection: Connection, past: Past, ids: Mapping[str, int], contents: Contents) -> int:
    """Returns how many were not there before."""
    rows = [
        message_row(old.message, ids[old.message.chat_jid])
        | {"edited": old.edited_at is not None, "edited_at": old.edited_at, "deleted": old.deleted}
        for old in past.messages
    ]
    new: set[tuple[int, str, str]] = set()
    if rows:
        found = connection.execute(_add_messages(connection.dialect.name), rows)
        new = {(row.chat_id, row.sender_jid, row.wa_message_id) for row in found}
    known = [
        old
        for old, row in zip(past.messages, rows, strict=True)
        if (row["chat_id"], old.message.sender_jid, old.message.wa_message_id) not in new
    ]
    batch = Batch([])
    batch.known_now.update(((past.session_id, message_id), 0) for _, _, message_id in new)
    _fill_placeholders(connection, known, ids, batch)
    changes = [change for old in known for change in _news_of(old)]
    apply_changes(connection, [*changes, *past.changes], contents)
    # What had waited for these messages happened to them live.
    store_changes(connection, {}, batch, contents)
    append(connection, batch.happened)
    return len(new)


def _fill_placeholders(
    connection: Connection, known: Sequence[OldMessage], ids: Mapping[str, int], batch: Batch
) -> None:
    """The phone could read what the device could not."""
    said = {
        (ids[old.message.chat_jid], old.message.wa_message_id): old.message
        for old in known
        if old.message.content and not old.deleted
    }
    pairs = list(said)
    found: list[NewMessage] = []
    for some in portions(pairs):
        statement = select(_message.c.chat_id, _message.c.wa_message_id).where(
            tuple_(_message.c.chat_id, _message.c.wa_message_id).in_(some),
            _message.c.type == UNDECRYPTABLE,
        )
        found += [said[row.chat_id, row.wa_message_id] for row in connection.execute(statement)]
    names = names_of(connection, message_people(found))
    for message in found:
        payload = fill_placeholder(connection, message, names)
        if payload is None or message.wa_message_id is None:
            continue
        batch.known_now[message.session_id, message.wa_message_id] = 0
        batch.happened.append(
            Happened((0, MESSAGE_RANK), message.session_id, DECRYPTED, message.created_at, payload)
        )


def _news_of(old: OldMessage) -> Iterable[Change]:
    """What history may know of a message that is stored already."""
    message = old.message
    if message.wa_message_id is None:
        return
    if message.ack_level > 1 and not message.chat_jid.endswith(_GROUP):
        yield NewReceipt(
            session_id=message.session_id,
            chat_jid=message.chat_jid,
            wa_message_id=message.wa_message_id,
            participant_jid=message.chat_jid,
            ack_level=message.ack_level,
            timestamp=message.timestamp,
            at=message.created_at,
        )
    deed: NewEdit | NewRevoke
    if old.deleted:
        deed = NewRevoke()
    elif old.edited_at is not None:
        deed = NewEdit(message.body, message.content, message.mentions)
    else:
        return
    yield MessageAct(
        session_id=message.session_id,
        chat_jid=message.chat_jid,
        wa_message_id=message.wa_message_id,
        sender_jid=message.sender_jid,
        actor_jid=message.sender_jid,
        timestamp=old.edited_at or 0,
        at=message.created_at,
        deed=deed,
    )
