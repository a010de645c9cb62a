"""Tickets: each is taken once, by whichever node gets it."""

from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from server.store.database import Database
from server.store.records import Ticket
from server.store.tables import TicketRow, table_of

_ticket = table_of(TicketRow)

AT_A_TIME: Final = 100
"""Expired tickets that go when a new one comes: more than come, so that none pile up."""

_TAKE: Final = (
    delete(_ticket)
    .where(_ticket.c.secret_hash == bindparam("taken"))
    .returning(*(column for column in _ticket.c if column.name != "secret_hash"))
)
_FORGET: Final = delete(_ticket).where(
    _ticket.c.secret_hash.in_(
        select(_ticket.c.secret_hash)
        .where(_ticket.c.expires_at <= bindparam("now"))
        .order_by(_ticket.c.expires_at)
        .limit(AT_A_TIME)
        # Nodes that clean at the same time leave each other's rows alone.
        .with_for_update(skip_locked=True)
    )
)


class TicketRepository:
    """Stores tickets by the hash of their secret, until they are taken or too old."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def add(self, ticket: Ticket, secret_hash: str, now: int) -> None:
        """Stores a ticket, and deletes some that have expired.

        Args:
            ticket: what it opens.
            secret_hash: SHA-256 of the secret, in hex.
            now: epoch milliseconds.
        """
        values = {
            **asdict(ticket),
            "sessions": list(ticket.sessions),
            "events": list(ticket.events),
            "secret_hash": secret_hash,
        }

        def run(connection: Connection) -> None:
            connection.execute(_FORGET, {"now": now})
            connection.execute(_ticket.insert().values(values))

        await self._database.write(run)

    async def take(self, secret_hash: str) -> Ticket | None:
        """Returns the ticket with that hash, expired or not, and deletes it: nobody gets it again."""

        def run(connection: Connection) -> Ticket | None:
            row = connection.execute(_TAKE, {"taken": secret_hash}).one_or_none()
            return None if row is None else Ticket(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

        return await self._database.write(run)
