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


@dataclass(frozen=True, slots=True)
class SessionHealth:
    """A session with what shows whether it works. Times are epoch milliseconds.

    Attributes:
        view: the session and where it stands.
        since: when it came to stand there, as far as this node knows; None where it does not hold it.
        reason: the word for why it ended, None where it did not.
        message: what happened and who must act, None where nobody must.
        acked_at, received_at, kept_alive_at: see `server.whatsapp.signs.Signs`.
        reconnects: how often the connection was made anew since the session was started on this node.
    """

    view: SessionView
    since: int | None
    reason: str | None
    message: str | None
    acked_at: int | None
    received_at: int | None
    kept_alive_at: int | None
    reconnects: int
