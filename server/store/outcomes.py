"""What became of a send, in one transaction: the message, its key, its outbox entry, its event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from server.clock import now_ms
from server.store.addresses import canonical
from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.event_payloads import MESSAGE, message_payload, message_people, organizations_of
from server.store.events import append_events
from server.store.group_commit import GATHER_SECONDS, GroupCommit
from server.store.idempotency import settle_keys
from server.store.ingest import insert_messages, storable
from server.store.names import names_of
from server.store.outbox import Settlement, settle_entries
from server.store.records import IdempotencyKey, NewEvent, NewMessage
from server.store.tables import MessageRow, table_of

_message = table_of(MessageRow)


@dataclass(frozen=True, slots=True)
class SettledKey:
    """An outcome to keep under an idempotency key. `timestamp` is epoch milliseconds."""

    key: IdempotencyKey
    status: str
    wa_message_id: str | None
    timestamp: int


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """What became known of a message that was stored as indeterminate. `timestamp` is epoch milliseconds."""

    row_id: int
    wa_message_id: str | None
    timestamp: int
    ack_level: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that one outcome changes."""

    message: NewMessage | None = None
    key: SettledKey | None = None
    entry: Settlement | None = None
    event: NewEvent | None = None
    late: LateAnswer | None = None


class OutcomeRepository:
    """Records outcomes, many at a time in one commit."""

    def __init__(self, database: Database, *, gather: float = GATHER_SECONDS) -> None:
        """Uses `database`; concurrent outcomes share commits.

        Args:
            database: where to record.
            gather: seconds for which an outcome that has company waits for more: long where nobody waits
                for it.
        """
        self._commit: GroupCommit[Outcome, int | None] = GroupCommit(database, _record, gather=gather)

    async def record(self, outcome: Outcome) -> int | None:
        """Records an outcome.

        Returns:
            The message's row id, or None where the outcome has none or it was stored before.

        Raises:
            SessionGoneError: the session was deleted meanwhile.
        """
        try:
            return await self._commit.write(outcome)
        except IntegrityError as error:
            raise SessionGoneError from error


def _record(connection: Connection, batch: Sequence[Outcome]) -> Sequence[int | None]:
    missed = settle_entries(connection, [o.entry for o in batch if o.entry is not None])
    # What did not happen to its entry did not happen at all.
    outcomes = [Outcome() if o.entry is not None and o.entry.number in missed else o for o in batch]
    messages = [o.message for o in outcomes if o.message is not None]
    rows, told = _store_messages(connection, messages)
    settle_keys(
        connection,
        [
            (o.key.key, o.key.status, o.key.wa_message_id, o.key.timestamp)
            for o in outcomes
            if o.key is not None
        ],
    )
    for outcome in outcomes:
        if outcome.late is not None:
            _settle_message(connection, outcome.late)
    # A message first, and then what became of it.
    append_events(connection, [*told, *_with_lids(connection, outcomes)])
    row = iter(rows)
    return [next(row) if o.message is not None else None for o in outcomes]


def _store_messages(
    connection: Connection, messages: Sequence[NewMessage]
) -> tuple[Sequence[int | None], Sequence[NewEvent]]:
    if not messages:
        return (), ()
    messages = canonical(connection, storable(messages))
    rows = insert_messages(connection, messages)
    organizations = organizations_of(connection, {message.session_id for message in messages})
    names = names_of(connection, message_people(messages))
    told = [
        NewEvent(
            organization_id=organizations[message.session_id],
            session_id=message.session_id,
            name=MESSAGE,
            timestamp=now_ms(),
            payload=message_payload(message, row_id, names),
        )
        for message, row_id in zip(messages, rows, strict=True)
        if row_id is not None
    ]
    return rows, told


def _with_lids(connection: Connection, outcomes: Sequence[Outcome]) -> list[NewEvent]:
    """The outcomes' own events; each that names a chat with the chat's LID."""
    events = [outcome.event for outcome in outcomes if outcome.event is not None]
    chats = [(event.session_id or "", str(event.payload.get("chatJid", ""))) for event in events]
    names = names_of(connection, chats)
    return [
        replace(event, payload={**event.payload, **names.both(*chat, "chat")}) if chat[1] else event
        for event, chat in zip(events, chats, strict=True)
    ]


def _settle_message(connection: Connection, late: LateAnswer) -> None:
    changes: dict[str, object] = {"ack_level": late.ack_level, "error": late.error}
    if late.wa_message_id is not None:
        changes |= {"wa_message_id": late.wa_message_id, "timestamp": late.timestamp}
    connection.execute(update(_message).where(_message.c.id == late.row_id).values(changes))
