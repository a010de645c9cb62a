"""What was done to stored messages, and how far they came: decided one by one, written together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, select, update

from server.store.dialect import insert
from server.store.message_targets import Target, Targets
from server.store.records import MessageAct, NewEdit, NewReaction, NewReceipt, NewRevoke
from server.store.tables import MessageRow, ReactionRow, table_of

_message = table_of(MessageRow)
_reaction = table_of(ReactionRow)

_RAISE_ACK: Final = (
    update(_message).where(_message.c.id == bindparam("row")).values(ack_level=bindparam("level"))
)
_EDIT: Final = (
    update(_message)
    .where(_message.c.id == bindparam("row"))
    .values(
        body=bindparam("new_body"),
        content=bindparam("new_content"),
        mentions=bindparam("new_mentions"),
        edited=True,
        edited_at=bindparam("at"),
    )
)
_REVOKE: Final = (
    update(_message).where(_message.c.id == bindparam("row")).values(body="", content=b"", deleted=True)
)
_LOOKED_UP = 500
"""Messages whose reactions one statement reads."""

_Who = tuple[int, str]
"""A message's row id, and who reacted to it."""


@cache
def _react(dialect: str) -> Executable:
    statement = insert(dialect, _reaction)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["message_id", "sender_jid"],
        set_={"emoji": new.emoji, "timestamp": new.timestamp},
    )


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an act or receipt whose message is stored.

    Attributes:
        target: the message.
        changed: whether anything did.
    """

    target: Target
    changed: bool


def apply_changes(
    connection: Connection, arrivals: Sequence[MessageAct | NewReceipt]
) -> list[Applied | None]:
    """Applies acts and receipts, in their order, in the transaction of `connection`.

    Whatever is older than what is known already changes nothing, and so nothing changes when the same comes
    twice. A message that was deleted, for everyone or here, changes no more.

    Returns:
        For each what came of it, or None where its message is not stored.
    """
    if not arrivals:
        return []
    targets = Targets(connection, arrivals)
    found = [(arrival, targets.of(arrival)) for arrival in arrivals]
    writes = _Writes(_reactions_to(connection, found))
    results = [
        None if target is None else Applied(target, writes.take(target, arrival)) for arrival, target in found
    ]
    writes.execute(connection)
    return results


@dataclass
class _Writes:
    """What a batch comes to.

    Attributes:
        reactions: emoji and time of every reaction that may be replaced.
    """

    reactions: dict[_Who, tuple[str, int]]
    acks: dict[int, int] = field(default_factory=dict)
    edits: dict[int, dict[str, object]] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)
    reacted: dict[_Who, tuple[str, int]] = field(default_factory=dict)

    def take(self, target: Target, arrival: MessageAct | NewReceipt) -> bool:
        """Notes what an arrival changes; returns whether it does."""
        if target.deleted or target.hidden:
            return False
        if isinstance(arrival, NewReceipt):
            return self._acknowledge(target, arrival.ack_level)
        match arrival.deed:
            case NewEdit() as edit:
                return self._edit(target, edit, arrival.timestamp)
            case NewRevoke():
                target.deleted = True
                self.revoked.add(target.id)
                return True
            case NewReaction(emoji):
                return self._react(target, arrival.actor_jid, emoji, arrival.timestamp)

    def _acknowledge(self, target: Target, level: int) -> bool:
        if level <= target.ack_level:
            return False
        self.acks[target.id] = target.ack_level = level
        return True

    def _edit(self, target: Target, edit: NewEdit, timestamp: int) -> bool:
        if target.edited_at is not None and timestamp <= target.edited_at:
            return False
        target.edited_at = timestamp
        self.edits[target.id] = {
            "row": target.id,
            "new_body": edit.body,
            "new_content": edit.content,
            "new_mentions": list(edit.mentions),
            "at": timestamp,
        }
        return True

    def _react(self, target: Target, who: str, emoji: str, timestamp: int) -> bool:
        earlier = self.reactions.get((target.id, who))
        if earlier is None:
            if not emoji:
                return False
        elif timestamp <= earlier[1]:
            return False
        self.reactions[target.id, who] = self.reacted[target.id, who] = (emoji, timestamp)
        return earlier is None or emoji != earlier[0]

    def execute(self, connection: Connection) -> None:
        """Writes it all."""
        if self.acks:
            connection.execute(_RAISE_ACK, [{"row": row, "level": level} for row, level in self.acks.items()])
        if self.edits:
            connection.execute(_EDIT, list(self.edits.values()))
        if self.reacted:
            connection.execute(
                _react(connection.dialect.name),
                [
                    {"message_id": row, "sender_jid": who, "emoji": emoji, "timestamp": timestamp}
                    for (row, who), (emoji, timestamp) in self.reacted.items()
                ],
            )
        # Last: what was edited and then revoked says nothing any more.
        if self.revoked:
            connection.execute(_REVOKE, [{"row": row} for row in sorted(self.revoked)])


def _reactions_to(
    connection: Connection, found: Sequence[tuple[MessageAct | NewReceipt, Target | None]]
) -> dict[_Who, tuple[str, int]]:
    reacted = {
        target.id
        for arrival, target in found
        if target is not None and isinstance(arrival, MessageAct) and isinstance(arrival.deed, NewReaction)
    }
    rows = sorted(reacted)
    reactions: dict[_Who, tuple[str, int]] = {}
    for start in range(0, len(rows), _LOOKED_UP):
        statement = select(_reaction).where(_reaction.c.message_id.in_(rows[start : start + _LOOKED_UP]))
        for row in connection.execute(statement):
            reactions[row.message_id, row.sender_jid] = (row.emoji, row.timestamp)
    return reactions
