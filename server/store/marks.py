"""What single people leave on messages: reactions, votes, and how far a message came with them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, Row, Table, select, tuple_

from server.store.dialect import insert
from server.store.portions import portions
from server.store.tables import MessageReceiptRow, PollVoteRow, ReactionRow, table_of

Who = tuple[int, str]
"""A message's row id, and a person."""

Named = TypeVar("Named", int, Who)


@dataclass(frozen=True)
class Marks:
    """A table with one row for each message and person.

    Attributes:
        who: the column that names the person.
        values: the columns that a later mark of theirs replaces.
        rises_by: the one of them that is higher in the mark that counts.
    """

    table: Table
    who: str
    values: tuple[str, ...]
    rises_by: str

    def of_messages(self, connection: Connection, message_ids: Collection[int]) -> Iterator[Row[Any]]:
        """All marks on messages."""
        for some in portions(sorted(message_ids)):
            yield from connection.execute(select(self.table).where(self.table.c.message_id.in_(some)))

    def of_people(self, connection: Connection, people: Collection[Who]) -> Iterator[Row[Any]]:
        """The marks of single people on messages."""
        key = tuple_(self.table.c.message_id, self.table.c[self.who])
        for some in portions(sorted(people)):
            yield from connection.execute(select(self.table).where(key.in_(some)))

    def put(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Stores marks in the place of earlier ones of the same people, unless those count more."""
        if rows:
            connection.execute(_put(connection.dialect.name, self), list(rows))


@cache
def _put(dialect: str, marks: Marks) -> Executable:
    statement = insert(dialect, marks.table)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["message_id", marks.who],
        set_={name: new[name] for name in marks.values},
        where=new[marks.rises_by] > marks.table.c[marks.rises_by],
    )


REACTIONS: Final = Marks(table_of(ReactionRow), "sender_jid", ("emoji", "timestamp"), "timestamp")
VOTES: Final = Marks(table_of(PollVoteRow), "voter_jid", ("options", "timestamp"), "timestamp")
RECEIPTS: Final = Marks(
    table_of(MessageReceiptRow), "participant_jid", ("ack_level", "timestamp"), "ack_level"
)
ALL_MARKS: Final = (REACTIONS, VOTES, RECEIPTS)
