"""What was done to stored messages, and how far they came: decided one by one, written together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from server.store.arrival_records import (
    MessageAct,
    NewEdit,
    NewReaction,
    NewReceipt,
    NewRevoke,
    NewSealed,
    NewVote,
    OpenDeed,
)
from server.store.contents import Contents
from server.store.ingest import storable_deed, storable_text
from server.store.marks import REACTIONS, RECEIPTS, VOTES, Who
from server.store.message_targets import Target, Targets
from server.store.portions import portions
from server.store.records import UNDECRYPTABLE
from server.store.tables import MessageRow, table_of

_message = table_of(MessageRow)

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
_CONTENTS: Final = select(_message.c.id, _message.c.content).where(
    _message.c.id.in_(bindparam("rows", expanding=True))
)
_GROUP: Final = "@g.us"
"""How a group's JID ends."""

Change = MessageAct | NewReceipt
"""What is about a message that may be stored."""

Tally = Sequence[tuple[str, int]]
"""How many people have chosen each option of a poll, in the poll's order."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an act or receipt whose message is stored.

    Attributes:
        target: the message.
        changed: whether anything did.
        ack_level: the message's then.
        deed: what was done, opened where it was sealed; None for receipts, and for what cannot be opened.
        tally: of a poll, with a vote.
    """

    target: Target
    changed: bool
    ack_level: int
    deed: OpenDeed | None = None
    tally: Tally = ()


def apply_changes(
    connection: Connection, arrivals: Sequence[Change], contents: Contents
) -> list[Applied | None]:
    """Applies acts and receipts, in their order, in the transaction of `connection`.

    Whatever is older than what is known already changes nothing, and so nothing changes when the same comes
    twice. A message that was deleted, for everyone or here, changes no more.

    Args:
        connection: in a transaction.
        arrivals: storable and canonical already.
        contents: reads polls and what is sealed.

    Returns:
        For each what came of it, or None where its message is not stored, or not yet in a form that could
        tell what came.
    """
    if not arrivals:
        return []
    targets = Targets(connection, arrivals)
    found = [(arrival, targets.of(arrival)) for arrival in arrivals]
    changes = _known(connection, found, contents)
    results = [
        None if target is None or _must_wait(arrival, target) else changes.take(target, arrival)
        for arrival, target in found
    ]
    changes.write(connection)
    return results


@dataclass
class _Changes:
    """What is known of the messages that a batch is about, and what the batch makes of it.

    Attributes:
        reader: reads contents.
        contents: of polls, of messages that are edited, and of those about which something sealed came.
        levels: how far messages came with single members of groups.
        reactions: emoji and time of each.
        votes: options and time of each, by poll and voter.
    """

    reader: Contents
    contents: dict[int, bytes] = field(default_factory=dict)
    levels: dict[Who, int] = field(default_factory=dict)
    reactions: dict[Who, tuple[str, int]] = field(default_factory=dict)
    votes: dict[int, dict[str, tuple[Sequence[str], int]]] = field(default_factory=dict)
    new_acks: dict[int, int] = field(default_factory=dict)
    new_levels: dict[Who, tuple[int, int]] = field(default_factory=dict)
    new_edits: dict[int, tuple[NewEdit, int]] = field(default_factory=dict)
    new_revokes: set[int] = field(default_factory=set)
    new_reactions: dict[Who, tuple[str, int]] = field(default_factory=dict)
    new_votes: dict[Who, tuple[Sequence[str], int]] = field(default_factory=dict)

    def take(self, target: Target, arrival: Change) -> Applied:
        """Notes what an arrival changes."""
        if target.deleted or target.hidden:
            return Applied(target, changed=False, ack_level=target.ack_level)
        if isinstance(arrival, NewReceipt):
            return Applied(target, self._acknowledge(target, arrival), target.ack_level)
        deed = self._opened(target, arrival.deed)
        changed = False
        match deed:
            case NewEdit():
                changed = self._edit(target, deed, arrival)
            case NewRevoke():
                target.deleted = changed = True
                self.new_revokes.add(target.id)
            case NewReaction(emoji):
                changed = self._react((target.id, arrival.actor_jid), emoji, arrival)
            case NewVote():
                return self._vote(target, deed, arrival)
            case None:
                pass
        return Applied(target, changed, target.ack_level, deed)

    def _opened(self, target: Target, deed: OpenDeed | NewSealed) -> OpenDeed | None:
        if not isinstance(deed, NewSealed):
            return deed
        opened = self.reader.open(self.contents.get(target.id, b""), target.wa_message_id, deed)
        return None if opened is None else storable_deed(opened)

    def _acknowledge(self, target: Target, receipt: NewReceipt) -> bool:
        level = receipt.ack_level
        if receipt.chat_jid.endswith(_GROUP):
            who = (target.id, receipt.participant_jid)
            if level <= self.levels.get(who, 0):
                return False
            self.levels[who] = level
            self.new_levels[who] = (level, receipt.timestamp)
        elif level <= target.ack_level:
            return False
        if level > target.ack_level:
            self.new_acks[target.id] = target.ack_level = level
        return True

    def _edit(self, target: Target, edit: NewEdit, act: MessageAct) -> bool:
        known = target.edited_at
        if known is not None and act.timestamp <= known and not act.is_newest:
            return False
        target.edited_at = _later(act, known)
        before = self.contents.get(target.id, b"")
        self.contents[target.id] = self.reader.edited(before, edit.content)
        self.new_edits[target.id] = (edit, target.edited_at)
        return True

    def _react(self, who: Who, emoji: str, act: MessageAct) -> bool:
        earlier = self.reactions.get(who)
        if earlier is None:
            if not emoji:
                return False
        elif act.timestamp <= earlier[1] and not act.is_newest:
            return False
        at = _later(act, None if earlier is None else earlier[1])
        self.reactions[who] = self.new_reactions[who] = (emoji, at)
        return earlier is None or emoji != earlier[0]

    def _vote(self, target: Target, vote: NewVote, act: MessageAct) -> Applied:
        unchanged = Applied(target, changed=False, ack_level=target.ack_level)
        options = self.reader.options(self.contents.get(target.id, b""))
        possible = [storable_text(option) for option in options]
        chosen = tuple(option for option in possible if option in vote.options)
        votes = self.votes.setdefault(target.id, {})
        earlier = votes.get(act.actor_jid)
        if not possible or (earlier is None and not chosen):
            return unchanged
        if earlier is not None and act.timestamp <= earlier[1] and not act.is_newest:
            return unchanged
        at = _later(act, None if earlier is None else earlier[1])
        votes[act.actor_jid] = self.new_votes[target.id, act.actor_jid] = (chosen, at)
        if earlier is not None and tuple(earlier[0]) == chosen:
            return unchanged
        counts = Counter(option for options, _ in votes.values() for option in options)
        tally = tuple((option, counts[option]) for option in possible)
        return Applied(target, changed=True, ack_level=target.ack_level, deed=NewVote(chosen), tally=tally)

    def write(self, connection: Connection) -> None:
        """Writes it all."""
        if self.new_acks:
            rows = [{"row": row, "level": level} for row, level in self.new_acks.items()]
            connection.execute(_RAISE_ACK, rows)
        self._write_edits(connection)
        RECEIPTS.put(
            connection,
            [
                {"message_id": row, "participant_jid": who, "ack_level": level, "timestamp": at}
                for (row, who), (level, at) in self.new_levels.items()
            ],
        )
        REACTIONS.put(
            connection,
            [
                {"message_id": row, "sender_jid": who, "emoji": emoji, "timestamp": at}
                for (row, who), (emoji, at) in self.new_reactions.items()
            ],
        )
        VOTES.put(
            connection,
            [
                {"message_id": row, "voter_jid": who, "options": list(options), "timestamp": at}
                for (row, who), (options, at) in self.new_votes.items()
            ],
        )
        # Last: what was edited and then revoked says nothing any more.
        if self.new_revokes:
            connection.execute(_REVOKE, [{"row": row} for row in sorted(self.new_revokes)])

    def _write_edits(self, connection: Connection) -> None:
        if not self.new_edits:
            return
        connection.execute(
            _EDIT,
            [
                {
                    "row": row,
                    "new_body": edit.body,
                    "new_content": self.contents[row],
                    "new_mentions": list(edit.mentions),
                    "at": at,
                }
                for row, (edit, at) in self.new_edits.items()
            ],
        )


def _known(
    connection: Connection, found: Sequence[tuple[Change, Target | None]], contents: Contents
) -> _Changes:
    """What must be known to decide over a batch: nothing is read that it is not about."""
    changes = _Changes(contents)
    there = [(arrival, target.id) for arrival, target in found if target is not None]
    deeds = [(arrival.deed, row) for arrival, row in there if isinstance(arrival, MessageAct)]
    told = {
        (row, arrival.participant_jid)
        for arrival, row in there
        if isinstance(arrival, NewReceipt) and arrival.chat_jid.endswith(_GROUP)
    }
    reacted = {row for deed, row in deeds if isinstance(deed, NewReaction | NewSealed)}
    voted = {row for deed, row in deeds if isinstance(deed, NewVote | NewSealed)}
    for mark in RECEIPTS.of_people(connection, told):
        changes.levels[mark.message_id, mark.participant_jid] = mark.ack_level
    for mark in REACTIONS.of_messages(connection, reacted):
        changes.reactions[mark.message_id, mark.sender_jid] = (mark.emoji, mark.timestamp)
    for mark in VOTES.of_messages(connection, voted):
        votes = changes.votes.setdefault(mark.message_id, {})
        votes[mark.voter_jid] = (mark.options, mark.timestamp)
    rows = sorted(voted | {row for deed, row in deeds if isinstance(deed, NewEdit)})
    for some in portions(rows):
        read = connection.execute(_CONTENTS, {"rows": some})
        changes.contents.update((row.id, row.content) for row in read)
    return changes


def _must_wait(arrival: Change, target: Target) -> bool:
    """Whether only the message's content can tell what came, and only a placeholder of it is there."""
    return (
        target.type == UNDECRYPTABLE
        and not (target.deleted or target.hidden)
        and isinstance(arrival, MessageAct)
        and isinstance(arrival.deed, NewVote | NewSealed)
    )


def _later(act: MessageAct, known: int | None) -> int:
    """The time to remember for an act that counts: never before what is known."""
    return act.timestamp if known is None else max(act.timestamp, known + act.is_newest)
