"""One life of a node, and the columns by which it holds what it holds (docs/decisions/0140)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, or_

from server.store.dialect import EpochMs

RELEASED: Final[Mapping[str, None]] = {"owner_node": None, "owner_boot": None, "owner_expires_at": None}
"""What the columns say where nobody holds."""


@dataclass(frozen=True, slots=True)
class Life:
    """A node from its start to its end.

    Attributes:
        node: its id; no two nodes may have the same.
        boot: a ULID made when this life began.
        seconds: how long a lease lasts unless renewed.
    """

    node: str
    boot: str
    seconds: float

    def expiry(self) -> ColumnElement[int]:
        """When a lease ends that begins now, by the database's clock."""
        return EpochMs() + round(self.seconds * 1000)

    def owns(self, table: Table) -> ColumnElement[bool]:
        """Whether this life holds a row, or held it last."""
        return and_(table.c.owner_node == self.node, table.c.owner_boot == self.boot)

    def may_take(self, table: Table, connection: Connection) -> ColumnElement[bool]:
        """Whether a row is free for this life: held by nobody, by a lease that ended, by an earlier life."""
        unheld = or_(table.c.owner_boot.is_(None), table.c.owner_expires_at <= EpochMs())
        if connection.dialect.name == "sqlite":
            # The file belongs to this process (`server.store.exclusive`): no other life goes on.
            return or_(unheld, table.c.owner_boot != self.boot)
        # Ids of lives are ULIDs, which rise with time. Were two nodes given one id by mistake, the one
        # that started later would win, once, instead of both taking things from each other for ever.
        earlier_life = and_(table.c.owner_node == self.node, table.c.owner_boot < self.boot)
        return or_(unheld, earlier_life)
