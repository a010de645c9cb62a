"""A session as callers see it."""

from dataclasses import dataclass

from server.sessions.state import Status
from server.store.records import Session


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with what is true of it now.

    Attributes:
        record: as stored.
        status: where it stands on the wire.
        gateway_id: the node that holds it, "" while none does.
    """

    record: Session
    status: Status
    gateway_id: str
