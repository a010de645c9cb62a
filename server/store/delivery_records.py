"""What is told of the posts to webhooks: plain values without a database behind them."""

from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    """It is being tried, or waits for its next attempt."""
    DELIVERED = "delivered"
    """The receiver answered 2xx."""
    DEAD = "dead"
    """Its attempts are used up. It stays until it is redriven, or until retention deletes it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook. Times are epoch milliseconds.

    Attributes:
        id: rises in the order in which deliveries began; orders pages.
        event_id, event: which event, and its name.
        attempts: posts so far; begins anew when it is redriven.
        last_status: the HTTP status of the last attempt that got one.
        last_error: why the last attempt failed, in plain words; never anything that the receiver wrote.
        next_attempt_at: not before then; None unless it is pending.
        delivered_at: when the receiver took it; None unless it is delivered.
        created_at: when the first attempt became due.
    """

    id: str
    webhook_id: str
    event_id: str
    event: str
    state: DeliveryState
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: int | None
    delivered_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How a webhook's endpoint does, as everything that was posted to it has shown.

    Attributes:
        suspended_until: when it is tried next, epoch milliseconds, where it failed so often that events
            wait in the log meanwhile; None where it is not suspended.
        failures: attempts that failed since the last one that did not.
        position: the id of the newest event that is settled for it: delivered, dead, or not its business.
        dead: its deliveries that are dead.
    """

    suspended_until: int | None
    failures: int
    position: str
    dead: int
