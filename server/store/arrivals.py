"""Writes a batch of what sessions received or sent, with its events, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection

from server.store.addresses import canonical, learn_addresses
from server.store.arrival_records import Arrival, MessageAct, NewHappening, NewMessage, NewReceipt, NewSealed
from server.store.change_events import change_people, event_of
from server.store.changes import Applied, Change, apply_changes
from server.store.chat_changes import renamed_by, tell_chats
from server.store.contents import Contents
from server.store.decrypted import DECRYPTED, fill_placeholder
from server.store.early import find_early, forget_early, keep_early
from server.store.event_payloads import MESSAGE, message_payload, message_people, organizations_of
from server.store.events import append_events
from server.store.happenings import call_chats, payloads
from server.store.ingest import insert_messages, storable, storable_deed, storable_text
from server.store.names import names_of
from server.store.records import NewEvent
from server.store.session_turn import take_turn

MESSAGE_RANK: Final = 0
"""Where the event of a message stands among those at its position: before all the others."""
CHANGE_RANK: Final = 2
"""Where the events of what was done to messages stand: behind all the others."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What is to be an event.

    Attributes:
        place: its position in the batch, and its rank there.
        at: epoch milliseconds.
    """

    place: tuple[int, int]
    session_id: str
    name: str
    at: int
    payload: Mapping[str, object]


@dataclass(slots=True)
class Batch:
    """What comes of arrivals.

    Attributes:
        results: for each arrival what `ConversationRepository.store` says.
        happened: what is to be appended to the log.
        new_at: the positions of new messages by row id.
        known_now: positions by session and WhatsApp's id of messages for which something may have waited.
    """

    results: list[int | None]
    happened: list[Happened] = field(default_factory=list)
    new_at: dict[int, int] = field(default_factory=dict)
    known_now: dict[tuple[str, str], int] = field(default_factory=dict)


def store_arrivals(
    connection: Connection, arrivals: Sequence[Arrival], *, contents: Contents
) -> list[int | None]:
    """Stores what was received, in the transaction of `connection`, and appends what that changed to the log.

    Messages are stored before anything is done to messages, which saves a statement for each; an event stands
    where its arrival did, but never before the message that it is about. What is about a message that is not
    stored waits for it (`server.store.early`).

    Returns:
        For each arrival what `ConversationRepository.store` says.
    """
    take_turn(connection, {arrival.session_id for arrival in arrivals})
    learn_addresses(connection, arrivals)
    batch = Batch([None] * len(arrivals))
    messages = {at: arrival for at, arrival in enumerate(arrivals) if isinstance(arrival, NewMessage)}
    store_messages(connection, messages, batch)
    changes = {at: arrival for at, arrival in enumerate(arrivals) if isinstance(arrival, Change)}
    store_changes(connection, changes, batch, contents)
    _tell_happenings(connection, arrivals, batch)
    append(connection, batch.happened)
    return batch.results


def store_messages(
    connection: Connection, arrivals: Mapping[int, NewMessage], batch: Batch, *, told_at: int | None = None
) -> None:
    """Stores messages; one that was there as a placeholder alone fills that.

    Args:
        connection: in a transaction that has taken its turn for their sessions.
        arrivals: by their positions.
        batch: learns what came of them.
        told_at: the time of their events, epoch milliseconds; None for when each was made.
    """
    messages = canonical(connection, storable(list(arrivals.values())))
    renamed = renamed_by(connection, messages)
    rows = insert_messages(connection, messages)
    if renamed:
        tell_chats(connection, renamed, at=max(message.created_at for message in messages))
    names = names_of(connection, message_people(messages))
    for position, message, row_id in zip(arrivals, messages, rows, strict=True):
        batch.results[position] = row_id
        name, payload = MESSAGE, None
        if row_id is not None:
            batch.new_at[row_id] = position
            payload = message_payload(message, row_id, names)
        elif (payload := fill_placeholder(connection, message, names)) is not None:
            name = DECRYPTED
        if payload is None:
            continue
        if message.wa_message_id is not None:
            batch.known_now[message.session_id, message.wa_message_id] = position
        at = message.created_at if told_at is None else told_at
        batch.happened.append(Happened((position, MESSAGE_RANK), message.session_id, name, at, payload))


def store_changes(
    connection: Connection, arrivals: Mapping[int, Change], batch: Batch, contents: Contents
) -> None:
    """Applies acts and receipts, and what has waited for the messages of the batch.

    Args:
        connection: in a transaction that has taken its turn for their sessions.
        arrivals: by their positions.
        batch: what came of the batch's messages; learns what came of these.
        contents: reads polls and what is sealed.
    """
    early = list(find_early(connection, batch.known_now)) if batch.known_now else []
    # What has waited came first.
    changes = [one.arrival for one in early] + [storable_change(arrival) for arrival in arrivals.values()]
    changes = canonical_changes(connection, changes)
    applied = apply_changes(connection, changes, contents)
    positions = [batch.known_now[change.session_id, change.wa_message_id] for change in changes[: len(early)]]
    fitting = [one.id for one, result in zip(early, applied, strict=False) if result is not None]
    forget_early(connection, fitting)
    missed: list[Change] = []
    for position, change, result in zip(arrivals, changes[len(early) :], applied[len(early) :], strict=True):
        positions.append(position)
        if result is None:
            missed.append(change)
        else:
            batch.results[position] = result.target.id
    keep_early(connection, missed)
    _tell(connection, zip(positions, changes, applied, strict=True), batch)


def _tell(
    connection: Connection, changes: Iterable[tuple[int, Change, Applied | None]], batch: Batch
) -> None:
    told = [(at, change, result) for at, change, result in changes if result is not None and result.changed]
    if not told:
        return
    names = names_of(connection, change_people(change for _, change, _ in told))
    for at, change, result in told:
        name, payload = event_of(change, result, names)
        place = (max(at, batch.new_at.get(result.target.id, at)), CHANGE_RANK)
        batch.happened.append(Happened(place, change.session_id, name, change.at, payload))


def _tell_happenings(connection: Connection, arrivals: Sequence[Arrival], batch: Batch) -> None:
    found = {at: arrival for at, arrival in enumerate(arrivals) if isinstance(arrival, NewHappening)}
    happenings = list(found.values())
    call_chats(connection, happenings)
    for position, happening, payload in zip(found, happenings, payloads(connection, happenings), strict=True):
        place = (position, CHANGE_RANK)
        batch.happened.append(Happened(place, happening.session_id, happening.name, happening.at, payload))


def canonical_changes(connection: Connection, changes: Sequence[Change]) -> list[Change]:
    """Changes with phone numbers in the place of LIDs, as `canonical`."""
    acts = [change for change in changes if isinstance(change, MessageAct)]
    receipts = [change for change in changes if isinstance(change, NewReceipt)]
    named_acts = iter(canonical(connection, acts))
    named_receipts = iter(canonical(connection, receipts))
    return [
        next(named_acts) if isinstance(change, MessageAct) else next(named_receipts) for change in changes
    ]


def append(
    connection: Connection,
    happened: Sequence[Happened],
    more: Sequence[tuple[tuple[int, int], NewEvent]] = (),
) -> None:
    """Appends to the log what happened, in the order of its places, and `more` events by their places."""
    placed = list(more)
    if happened:
        organizations = organizations_of(connection, {one.session_id for one in happened})
        placed += [
            (
                one.place,
                NewEvent(organizations[one.session_id], one.session_id, one.name, one.at, one.payload),
            )
            for one in happened
        ]
    placed.sort(key=itemgetter(0))
    append_events(connection, [event for _, event in placed])


def storable_change(change: Change) -> Change:
    """A change without the character 0, which people can send and PostgreSQL cannot keep."""
    if isinstance(change, MessageAct) and not isinstance(change.deed, NewSealed):
        change = replace(change, deed=storable_deed(change.deed))
    return replace(change, wa_message_id=storable_text(change.wa_message_id))
