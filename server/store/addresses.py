"""Which phone number a LID belongs to, as sessions learn it, and what it means for messages under way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, bindparam, select, tuple_

from server.store.arrival_records import Arrival, MessageAct, NewMessage, NewReceipt, learned_from
from server.store.dialect import insert
from server.store.portions import portions
from server.store.tables import AddressRow, table_of
from server.store.uniting import unite

_address = table_of(AddressRow)

_LID: Final = "@lid"
"""How a LID ends."""
_JIDS: Final = ("chat_jid", "sender_jid", "actor_jid", "participant_jid")
"""Fields of arrivals that name people."""

# By number alone, which has an index: with the session in it SQLite would look through all of its.
_LIDS: Final = select(_address.c.session_id, _address.c.phone_jid, _address.c.lid).where(
    _address.c.phone_jid.in_(bindparam("phones", expanding=True))
)
_PHONES: Final = select(_address.c.session_id, _address.c.lid, _address.c.phone_jid).where(
    tuple_(_address.c.session_id, _address.c.lid).in_(bindparam("people", expanding=True))
)

Person = tuple[str, str]
"""A session and a JID of a person."""

Item = TypeVar("Item", NewMessage, MessageAct, NewReceipt)


@cache
def _learn(dialect: str) -> Executable:
    statement = insert(dialect, _address)
    return statement.on_conflict_do_update(
        index_elements=["session_id", "lid"], set_={"phone_jid": statement.excluded.phone_jid}
    )


def learn_addresses(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Stores the address pairs that came along; what is new makes one person of two.

    Until its number is known a person's chat stands under the LID. Such a chat, and what the person wrote
    elsewhere, is moved to the number in the same transaction.
    """
    learn_pairs(connection, {(m.session_id, lid): phone for m in arrivals for lid, phone in learned_from(m)})


def learn_pairs(connection: Connection, pairs: Mapping[Person, str]) -> None:
    """Stores address pairs; see `learn_addresses`.

    Args:
        connection: in a transaction.
        pairs: phone-number JIDs by session and LID.
    """
    if not pairs:
        return
    known = phone_jids(connection, list(pairs))
    new = {person: phone for person, phone in pairs.items() if known.get(person) != phone}
    if not new:
        return
    rows = [{"session_id": session, "lid": lid, "phone_jid": phone} for (session, lid), phone in new.items()]
    connection.execute(_learn(connection.dialect.name), rows)
    for session_id in sorted({session_id for session_id, _ in new}):
        unite(
            connection, session_id, {lid: phone for (owner, lid), phone in new.items() if owner == session_id}
        )


def canonical(connection: Connection, arrivals: Sequence[Item]) -> Sequence[Item]:
    """Arrivals with phone numbers in the place of LIDs, as far as they are known to this transaction.

    Whoever made them may have looked before the number was learned.
    """
    people = {
        (arrival.session_id, jid) for arrival in arrivals for jid in _people(arrival).values() if _is_lid(jid)
    }
    if not people:
        return arrivals
    phones = phone_jids(connection, sorted(people))
    return [replace(arrival, **_with_phones(arrival, phones)) for arrival in arrivals]


def lids_of(connection: Connection, people: Iterable[Person]) -> Mapping[Person, str]:
    """The LIDs of people whom sessions know by phone number.

    Args:
        connection: in a transaction.
        people: pairs of a session and a phone-number JID.
    """
    wanted = set(people)
    phones = sorted({phone for _, phone in wanted})
    found: dict[Person, str] = {}
    for some in portions(phones):
        for session_id, phone, lid in connection.execute(_LIDS, {"phones": some}):
            if (session_id, phone) in wanted:
                found[session_id, phone] = lid
    return found


def _with_phones(arrival: Arrival, phones: Mapping[Person, str]) -> dict[str, Any]:
    return {name: phones.get((arrival.session_id, jid), jid) for name, jid in _people(arrival).items()}


def _people(arrival: Arrival) -> dict[str, str]:
    return {name: getattr(arrival, name) for name in _JIDS if hasattr(arrival, name)}


def _is_lid(jid: str) -> bool:
    return jid.endswith(_LID)


def phone_jids(connection: Connection, people: Sequence[Person]) -> Mapping[Person, str]:
    """The phone-number JIDs of people whom sessions know by LID, as far as they have learned them."""
    found: dict[Person, str] = {}
    for some in portions(people):
        rows = connection.execute(_PHONES, {"people": some})
        found.update(((session_id, lid), phone) for session_id, lid, phone in rows)
    return found
