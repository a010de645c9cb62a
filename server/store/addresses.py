"""Which phone number a LID belongs to, as sessions learn it, and what it means for messages under way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, select, tuple_

from server.store.dialect import insert
from server.store.records import NewMessage
from server.store.tables import AddressRow, table_of
from server.store.uniting import unite

_address = table_of(AddressRow)

_LID: Final = "@lid"
"""How a LID ends."""
_PER_STATEMENT: Final = 500
"""Pairs that one statement names: well below either engine's limit of parameters."""

_Person = tuple[str, str]
"""A session and a LID."""


@cache
def _learn(dialect: str) -> Executable:
    statement = insert(dialect, _address)
    return statement.on_conflict_do_update(
        index_elements=["session_id", "lid"], set_={"phone_jid": statement.excluded.phone_jid}
    )


def learn_addresses(connection: Connection, messages: Sequence[NewMessage]) -> None:
    """Stores the address pairs that came with messages; what is new makes one person of two.

    Until its number is known a person's chat stands under the LID. Such a chat, and what the person wrote
    elsewhere, is moved to the number in the same transaction.
    """
    pairs = {(m.session_id, m.lid): m.phone_jid for m in messages if m.lid and m.phone_jid}
    if not pairs:
        return
    known = _phone_jids(connection, list(pairs))
    new = {person: phone for person, phone in pairs.items() if known.get(person) != phone}
    if not new:
        return
    rows = [{"session_id": session, "lid": lid, "phone_jid": phone} for (session, lid), phone in new.items()]
    connection.execute(_learn(connection.dialect.name), rows)
    for session_id in sorted({session_id for session_id, _ in new}):
        unite(
            connection, session_id, {lid: phone for (owner, lid), phone in new.items() if owner == session_id}
        )


def canonical_messages(connection: Connection, messages: Sequence[NewMessage]) -> Sequence[NewMessage]:
    """Messages with phone numbers in the place of LIDs, as far as they are known to this transaction.

    Whoever made them may have looked before the number was learned.
    """
    people = {
        (message.session_id, jid)
        for message in messages
        for jid in (message.chat_jid, message.sender_jid)
        if jid.endswith(_LID)
    }
    if not people:
        return messages
    phones = _phone_jids(connection, sorted(people))
    return [
        replace(
            message,
            chat_jid=phones.get((message.session_id, message.chat_jid), message.chat_jid),
            sender_jid=phones.get((message.session_id, message.sender_jid), message.sender_jid),
        )
        for message in messages
    ]


def _phone_jids(connection: Connection, people: Sequence[_Person]) -> Mapping[_Person, str]:
    found: dict[_Person, str] = {}
    for start in range(0, len(people), _PER_STATEMENT):
        statement = select(_address.c.session_id, _address.c.lid, _address.c.phone_jid).where(
            tuple_(_address.c.session_id, _address.c.lid).in_(people[start : start + _PER_STATEMENT])
        )
        rows = connection.execute(statement)
        found.update(((session_id, lid), phone) for session_id, lid, phone in rows)
    return found
