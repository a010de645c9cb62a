"""Changes of chats beside their messages, each with its event in the same transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select, tuple_, update

from server.store.arrival_records import NewMessage
from server.store.event_payloads import CHAT_UPDATED, chat_payload
from server.store.events import append_events
from server.store.names import names_of
from server.store.portions import portions
from server.store.records import Chat, NewEvent
from server.store.tables import ChatRow, SessionRow, table_of

_chat = table_of(ChatRow)
_session = table_of(SessionRow)

_FIND: Final = (
    select(_chat, _session.c.organization_id)
    .join(_session, _session.c.id == _chat.c.session_id)
    .where(_chat.c.id.in_(bindparam("chats", expanding=True)))
    .order_by(_chat.c.id)
)
_CALLED: Final = select(_chat.c.id, _chat.c.session_id, _chat.c.jid, _chat.c.name).where(
    tuple_(_chat.c.session_id, _chat.c.jid).in_(bindparam("chats", expanding=True))
)


def change_chat(connection: Connection, chat_id: int, changes: Mapping[str, object], *, at: int) -> bool:
    """Sets columns of a chat and tells it, where that changes anything.

    Args:
        connection: in a transaction.
        chat_id: the row's.
        changes: by field of `Chat`.
        at: now, epoch milliseconds.

    Returns:
        Whether the chat is stored.
    """
    found = connection.execute(select(_chat).where(_chat.c.id == chat_id).with_for_update()).one_or_none()
    if found is None:
        return False
    new = {name: value for name, value in changes.items() if getattr(found, name) != value}
    if new:
        connection.execute(update(_chat).where(_chat.c.id == chat_id).values(new))
        tell_chats(connection, [chat_id], at=at)
    return True


def delete_chat(connection: Connection, chat_id: int, *, at: int) -> None:
    """Deletes a chat whose messages are gone already, and tells it.

    Args:
        connection: in a transaction.
        chat_id: the row's.
        at: now, epoch milliseconds.
    """
    rows = connection.execute(_FIND, {"chats": [chat_id]}).all()
    if connection.execute(delete(_chat).where(_chat.c.id == chat_id)).rowcount:
        _tell(connection, rows, at=at, deleted=True)


def renamed_by(connection: Connection, messages: Sequence[NewMessage]) -> list[int]:
    """The stored chats to which messages bring another name, as their writers call themselves now.

    Args:
        connection: in the transaction that will store the messages and has not done so.
        messages: storable and canonical already.

    Returns:
        The chats' row ids, for `tell_chats`.
    """
    names = {(m.session_id, m.chat_jid): m.chat_name for m in messages if m.chat_name}
    people = sorted(names)
    found: list[int] = []
    for some in portions(people):
        rows = connection.execute(_CALLED, {"chats": some})
        found += [row.id for row in rows if row.name != names[row.session_id, row.jid]]
    return found


def tell_chats(connection: Connection, chat_ids: Sequence[int], *, at: int) -> None:
    """Appends `chat.updated` for chats, as they are now.

    Args:
        connection: in the transaction that has changed them.
        chat_ids: the rows'; each is told once.
        at: now, epoch milliseconds.
    """
    rows = connection.execute(_FIND, {"chats": sorted(set(chat_ids))}).all()
    _tell(connection, rows, at=at, deleted=False)


def _tell(connection: Connection, rows: Sequence[Row[Any]], *, at: int, deleted: bool) -> None:
    names = names_of(connection, ((row.session_id, row.jid) for row in rows))
    append_events(
        connection,
        [
            NewEvent(
                organization_id=row.organization_id,
                session_id=row.session_id,
                name=CHAT_UPDATED,
                timestamp=at,
                payload={
                    "chat": None if deleted else chat_payload(_record(row)),
                    **names.both(row.session_id, row.jid, "chat"),
                },
            )
            for row in rows
        ],
    )


def _record(row: Row[Any]) -> Chat:
    fields = row._asdict()
    del fields["organization_id"]
    return Chat(**fields)
