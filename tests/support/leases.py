"""Lives of nodes, as the leases know them."""

from ulid import ULID

from server.store.database import Database
from server.store.leases import LeaseRepository


def a_lease_repository(
    database: Database, node: str = "node-1", *, boot: str | None = None, seconds: float = 30.0
) -> LeaseRepository:
    """The leases of a node's life that begins now, unless `boot` says which life it is."""
    return LeaseRepository(database, node=node, boot=boot or str(ULID()), seconds=seconds)
