"""What became of a send, in one transaction: the message, its key, its outbox entry, its event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from server.clock import now_ms
from server.store.arrival_records import NewMessage
from server.store.arrivals import CHANGE_RANK, MESSAGE_RANK, Batch, append, store_changes, store_messages
from server.store.contents import Contents, Unread
from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.group_commit import GroupCommit
from server.store.idempotency import settle_keys
from server.store.names import names_of
from server.store.outbox import Settlement, settle_entries
from server.store.records import IdempotencyKey, NewEvent
from server.store.session_turn import take_turn
from server.store.tables import ChatRow, MessageRow, table_of

GATHER_SECONDS: Final = 0.008
"""How long an outcome waits for those that are about to follow it. Measured with 16 sends in flight: about
three share a commit, and a send costs the node a quarter less than where each has its own."""

_chat = table_of(ChatRow)
_message = table_of(MessageRow)

_EVENT_RANK: Final = (MESSAGE_RANK + CHANGE_RANK) // 2
"""Where an outcome's own event stands: behind its message, before what has been done to it since."""
_SESSIONS: Final = (
    select(_message.c.id, _chat.c.session_id)
    .join(_chat, _chat.c.id == _message.c.chat_id)
    .where(_message.c.id.in_(bindparam("rows", expanding=True)))
)


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

    def __init__(
        self, database: Database, contents: Contents | None = None, *, gather: float = GATHER_SECONDS
    ) -> None:
        """Uses `database`; concurrent outcomes share commits.

        Args:
            database: where to record.
            contents: reads polls and what is sealed; without it a vote that came before its poll was
                recorded is not counted.
            gather: seconds for which an outcome that has company waits for more: long where nobody waits
                for it.
        """
        record = partial(_record, contents=contents or Unread())
        self._commit: GroupCommit[Outcome, int | None] = GroupCommit(database, record, gather=gather)

    async def record(self, outcome: Outcome, *, company: bool = False) -> int | None:
        """Records an outcome.

        Args:
            outcome: what to record.
            company: whether others are about to be recorded as well: this one waits for them a moment.

        Returns:
            The message's row id, or None where the outcome has none or it was stored before.

        Raises:
            SessionGoneError: the session was deleted meanwhile.
        """
        try:
            return await self._commit.write(outcome, company=company)
        except IntegrityError as error:
            raise SessionGoneError from error


def _record(
    connection: Connection, outcomes: Sequence[Outcome], *, contents: Contents
) -> Sequence[int | None]:
    late = {o.late.row_id: o.late for o in outcomes if o.late is not None and o.late.wa_message_id}
    found = connection.execute(_SESSIONS, {"rows": list(late)}) if late else ()
    sessions: dict[int, str] = {row.id: row.session_id for row in found}
    take_turn(
        connection, {o.message.session_id for o in outcomes if o.message is not None} | set(sessions.values())
    )
    missed = settle_entries(connection, [o.entry for o in outcomes if o.entry is not None])
    # What did not happen to its entry did not happen at all.
    outcomes = [Outcome() if o.entry is not None and o.entry.number in missed else o for o in outcomes]
    settle_keys(
        connection,
        [
            (o.key.key, o.key.status, o.key.wa_message_id, o.key.timestamp)
            for o in outcomes
            if o.key is not None
        ],
    )
    batch = Batch([None] * len(outcomes))
    messages = {at: o.message for at, o in enumerate(outcomes) if o.message is not None}
    store_messages(connection, messages, batch, told_at=now_ms())
    for position, outcome in enumerate(outcomes):
        answer = outcome.late
        if answer is None:
            continue
        _settle_message(connection, answer)
        if answer.wa_message_id is not None and answer.row_id in sessions:
            batch.known_now[sessions[answer.row_id], answer.wa_message_id] = position
    store_changes(connection, {}, batch, contents)
    append(connection, batch.happened, _own_events(connection, outcomes))
    return batch.results


def _own_events(
    connection: Connection, outcomes: Sequence[Outcome]
) -> list[tuple[tuple[int, int], NewEvent]]:
    """The outcomes' own events with their places; each that names a chat with the chat's LID."""
    events = [((at, _EVENT_RANK), o.event) for at, o in enumerate(outcomes) if o.event is not None]
    chats = [(event.session_id or "", str(event.payload.get("chatJid", ""))) for _, event in events]
    names = names_of(connection, chats)
    return [
        (place, replace(event, payload={**event.payload, **names.both(*chat, "chat")}) if chat[1] else event)
        for (place, event), chat in zip(events, chats, strict=True)
    ]


def _settle_message(connection: Connection, late: LateAnswer) -> None:
    changes: dict[str, object] = {"ack_level": late.ack_level, "error": late.error}
    if late.wa_message_id is not None:
        changes |= {"wa_message_id": late.wa_message_id, "timestamp": late.timestamp}
    connection.execute(update(_message).where(_message.c.id == late.row_id).values(changes))
