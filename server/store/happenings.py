"""What is told and not stored: presences, changes of groups, calls."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable

from server.store.addresses import Person
from server.store.arrival_records import NewHappening
from server.store.chat_changes import tell_chats
from server.store.dialect import insert
from server.store.names import Names, names_of
from server.store.tables import ChatRow, table_of

_chat = table_of(ChatRow)

_REPLACEMENT: Final = "\ufffd"


@cache
def _call_chats(dialect: str) -> Executable:
    statement = insert(dialect, _chat)
    return statement.on_conflict_do_update(
        index_elements=["session_id", "jid"],
        set_={"name": statement.excluded.name},
        where=_chat.c.name != statement.excluded.name,
    ).returning(_chat.c.id)


def call_chats(connection: Connection, happenings: Sequence[NewHappening]) -> None:
    """Gives chats the names that came along, and tells those that had another one."""
    names = {(h.session_id, h.chat_jid): h for h in happenings if h.chat_jid and h.chat_name}
    if not names:
        return
    rows = [
        {
            "session_id": session_id,
            "jid": jid,
            "name": happening.chat_name.replace("\0", _REPLACEMENT),
            "unread_count": 0,
            "archived": False,
            "pinned": False,
        }
        for (session_id, jid), happening in names.items()
    ]
    changed = connection.execute(_call_chats(connection.dialect.name), rows).scalars().all()
    if changed:
        tell_chats(connection, changed, at=max(happening.at for happening in names.values()))


def payloads(connection: Connection, happenings: Sequence[NewHappening]) -> list[Mapping[str, object]]:
    """The whole payloads, with both names of everybody."""
    names = names_of(connection, set(_people(happenings))) if happenings else Names({})
    return [_payload(happening, names) for happening in happenings]


def _people(happenings: Sequence[NewHappening]) -> Iterator[Person]:
    for happening in happenings:
        for jid in (*happening.people.values(), *(happening.participants or ())):
            if jid is not None:
                yield happening.session_id, jid


def _payload(happening: NewHappening, names: Names) -> Mapping[str, object]:
    payload = dict(happening.payload)
    for what, jid in happening.people.items():
        if jid is None:
            payload |= {f"{what}Jid": None, f"{what}Lid": None}
        else:
            payload |= names.both(happening.session_id, jid, what)
    if happening.participants is not None:
        payload["participants"] = [
            {"jid": jid, "lid": names.lid(happening.session_id, jid)} for jid in happening.participants
        ]
    return payload
