"""Writes a batch of what sessions received, with its events, in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from server.store.addresses import Person, canonical, learn_addresses
from server.store.changes import Applied, apply_changes
from server.store.chat_changes import renamed_by, tell_chats
from server.store.decrypted import DECRYPTED, fill_placeholder
from server.store.event_payloads import (
    MESSAGE,
    STATUS_WORDS,
    message_payload,
    message_people,
    organizations_of,
)
from server.store.events import append_events
from server.store.happenings import call_chats, payloads
from server.store.ingest import insert_messages, storable, storable_text
from server.store.names import Names, names_of
from server.store.records import (
    Arrival,
    MessageAct,
    NewEdit,
    NewEvent,
    NewHappening,
    NewMessage,
    NewReaction,
    NewReceipt,
    NewRevoke,
)

EDITED: Final = "message.edited"
"""The event of a message that says something else now."""
REVOKED: Final = "message.revoked"
"""The event of a message that was deleted for everyone."""
REACTION: Final = "message.reaction"
"""The event of a reaction, new or taken back."""
STATUS: Final = "message.status"
"""The event of a message that came further."""

_Happened = tuple[int, str, str, int, Mapping[str, object]]
"""Position in the batch, session, event name, time, payload."""


def store_arrivals(connection: Connection, arrivals: Sequence[Arrival]) -> list[int | None]:
    """Stores what was received, in the transaction of `connection`, and appends what that changed to the log.

    Messages are stored before anything is done to messages, which saves a statement for each; an event stands
    where its arrival did, but never before the message that it is about.

    Returns:
        For each arrival what `ConversationRepository.store` says.
    """
    learn_addresses(connection, arrivals)
    results: list[int | None] = [None] * len(arrivals)
    happened: list[_Happened] = []
    new_at = _store_messages(connection, arrivals, results, happened)
    _store_changes(connection, arrivals, results, happened, new_at)
    _tell_happenings(connection, arrivals, happened)
    _append(connection, happened)
    return results


def _store_messages(
    connection: Connection,
    arrivals: Sequence[Arrival],
    results: list[int | None],
    happened: list[_Happened],
) -> Mapping[int, int]:
    """Returns the positions of new messages by their row ids."""
    positions = [at for at, arrival in enumerate(arrivals) if isinstance(arrival, NewMessage)]
    messages = [arrival for arrival in arrivals if isinstance(arrival, NewMessage)]
    messages = list(canonical(connection, storable(messages)))
    new_at: dict[int, int] = {}
    renamed = renamed_by(connection, messages)
    rows = insert_messages(connection, messages)
    if renamed:
        tell_chats(connection, renamed, at=max(message.created_at for message in messages))
    names = names_of(connection, message_people(messages)) if messages else Names({})
    for position, message, row_id in zip(positions, messages, rows, strict=True):
        results[position] = row_id
        if row_id is not None:
            new_at[row_id] = position
            payload = message_payload(message, row_id, names)
            happened.append((position, message.session_id, MESSAGE, message.created_at, payload))
        elif (filled := fill_placeholder(connection, message, names)) is not None:
            happened.append((position, message.session_id, DECRYPTED, message.created_at, filled))
    return new_at


def _store_changes(
    connection: Connection,
    arrivals: Sequence[Arrival],
    results: list[int | None],
    happened: list[_Happened],
    new_at: Mapping[int, int],
) -> None:
    acts = {at: _storable_act(a) for at, a in enumerate(arrivals) if isinstance(a, MessageAct)}
    receipts = {at: _storable_receipt(a) for at, a in enumerate(arrivals) if isinstance(a, NewReceipt)}
    named: dict[int, MessageAct | NewReceipt] = {}
    named.update(zip(acts, canonical(connection, list(acts.values())), strict=True))
    named.update(zip(receipts, canonical(connection, list(receipts.values())), strict=True))
    positions = sorted(named)
    changes = [named[at] for at in positions]
    applied = apply_changes(connection, changes)
    told: list[tuple[int, MessageAct | NewReceipt, Applied]] = []
    for position, change, result in zip(positions, changes, applied, strict=True):
        if result is None:
            continue
        results[position] = result.target.id
        if result.changed:
            told.append((max(position, new_at.get(result.target.id, position)), change, result))
    if told:
        names = names_of(connection, _people(change for _, change, _ in told))
        happened += [_event_of(position, change, result, names) for position, change, result in told]


def _tell_happenings(connection: Connection, arrivals: Sequence[Arrival], happened: list[_Happened]) -> None:
    found = {at: arrival for at, arrival in enumerate(arrivals) if isinstance(arrival, NewHappening)}
    happenings = list(found.values())
    call_chats(connection, happenings)
    for position, happening, payload in zip(found, happenings, payloads(connection, happenings), strict=True):
        happened.append((position, happening.session_id, happening.name, happening.at, payload))


def _storable_act(act: MessageAct) -> MessageAct:
    deed = act.deed
    if isinstance(deed, NewEdit):
        deed = replace(deed, body=storable_text(deed.body))
    elif isinstance(deed, NewReaction):
        deed = NewReaction(storable_text(deed.emoji))
    return replace(act, wa_message_id=storable_text(act.wa_message_id), deed=deed)


def _storable_receipt(receipt: NewReceipt) -> NewReceipt:
    return replace(receipt, wa_message_id=storable_text(receipt.wa_message_id))


def _people(changes: Iterable[MessageAct | NewReceipt]) -> Iterator[Person]:
    """Whose names the events of changes need."""
    for change in changes:
        yield change.session_id, change.chat_jid
        if isinstance(change, MessageAct):
            yield change.session_id, change.sender_jid
            yield change.session_id, change.actor_jid
        else:
            yield change.session_id, change.participant_jid


def _event_of(position: int, change: MessageAct | NewReceipt, applied: Applied, names: Names) -> _Happened:
    session_id = change.session_id
    payload: dict[str, object] = {
        **names.both(session_id, change.chat_jid, "chat"),
        "timestamp": change.timestamp,
        "waMessageId": change.wa_message_id,
    }
    if isinstance(change, NewReceipt):
        payload |= {
            **names.both(session_id, change.participant_jid, "participant"),
            "ackLevel": change.ack_level,
            "error": None,
            "outboxId": "",
            "status": STATUS_WORDS[change.ack_level],
        }
        return position, session_id, STATUS, change.at, payload
    payload |= {**names.both(session_id, change.sender_jid, "sender"), "fromMe": applied.target.from_me}
    match change.deed:
        case NewEdit() as edit:
            payload |= {"body": edit.body, "mentions": list(edit.mentions)}
            return position, session_id, EDITED, change.at, payload
        case NewRevoke():
            payload |= names.both(session_id, change.actor_jid, "revoker")
            return position, session_id, REVOKED, change.at, payload
        case NewReaction(emoji):
            payload |= {**names.both(session_id, change.actor_jid, "reactor"), "emoji": emoji}
            return position, session_id, REACTION, change.at, payload


def _append(connection: Connection, happened: list[_Happened]) -> None:
    if not happened:
        return
    organizations = organizations_of(connection, {session_id for _, session_id, *_ in happened})
    happened.sort(key=lambda one: one[0])
    append_events(
        connection,
        [
            NewEvent(organizations[session_id], session_id, name, at, payload)
            for _, session_id, name, at, payload in happened
        ],
    )
