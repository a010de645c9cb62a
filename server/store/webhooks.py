"""The stored webhooks: where an organization's events are posted to, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from ulid import ULID

from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.events import BEFORE_ALL
from server.store.failures import is_missing_parent
from server.store.queries import execute, find_all, find_one
from server.store.tables import EventHeadRow, OrganizationRow, table_of
from server.store.webhook_tables import WebhookRow

_webhook = table_of(WebhookRow)
_organization = table_of(OrganizationRow)
_head = table_of(EventHeadRow)

PREFIX: Final = "wh_"
"""How every webhook's id begins (REST API, Conventions)."""
ALL_EVENTS: Final = "*"
"""Stands for every event in `Webhook.events` (REST API, Webhooks)."""


class RetryPolicy(StrEnum):
    """How the waits between the attempts at one event grow (REST API, Webhooks)."""

    CONSTANT = "constant"
    """Every wait is the delay."""
    LINEAR = "linear"
    """The first wait is the delay, the second twice that, the third three times."""
    EXPONENTIAL = "exponential"
    """The first wait is the delay, and each one is twice the one before."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint. Times are epoch milliseconds.

    Attributes:
        id: `PREFIX` and a ULID.
        url: where events are posted to, http or https.
        events: names of the events that it hears of; `ALL_EVENTS` among them is all of them.
        session_id: whose events alone; None for all of the organization's.
        active: whether anything is posted now.
        secret: signs what is posted; None posts without a signature. No log, answer or audit has it.
        custom_headers: further headers of each post, by name.
        policy: how the waits between attempts grow.
        delay_seconds: the first of those waits, 1 to 3600.
        attempts: posts of one event at most, 1 to 100.
        revision: 1 when it is made, and one more with each change.
        starts_after: the id of the organization's newest event when it was made: it hears of those behind.
    """

    id: str
    organization_id: str
    url: str
    events: Sequence[str]
    session_id: str | None
    active: bool
    secret: str | None = field(repr=False)
    custom_headers: Mapping[str, str] = field(repr=False)
    policy: RetryPolicy
    delay_seconds: int
    attempts: int
    created_at: int
    updated_at: int
    revision: int = 1
    starts_after: str = BEFORE_ALL

    def hears(self, session_id: str | None, name: str) -> bool:
        """Whether it wants to hear of an event.

        Args:
            session_id: the session that the event happened to, None for none.
            name: the event's.
        """
        return self.session_id in {None, session_id} and (ALL_EVENTS in self.events or name in self.events)


# Statements are built once: building one costs as much as running it.
_HOLD: Final = (
    select(_organization.c.id).where(_organization.c.id == bindparam("organization")).with_for_update()
)
_COUNT: Final = (
    select(func.count()).select_from(_webhook).where(_webhook.c.organization_id == bindparam("organization"))
)
_NEWEST: Final = select(_head.c.last_id).where(_head.c.organization_id == bindparam("organization"))
_FIND: Final = select(_webhook).where(_webhook.c.id == bindparam("wanted"))


class WebhookRepository:
    """Stores webhooks."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def add(self, webhook: Webhook, *, limit: int) -> Webhook | None:
        """Stores a new webhook.

        Args:
            webhook: what is stored; `starts_after` is filled in.
            limit: how many the organization may have, this one included.

        Returns:
            What was stored, or None where the organization has as many as it may.

        Raises:
            SessionGoneError: its session was deleted.
        """
        organization = {"organization": webhook.organization_id}

        def run(connection: Connection) -> Webhook | None:
            connection.execute(
                _HOLD, organization
            )  # two that are made at once do not both take the last place
            if connection.execute(_COUNT, organization).scalar_one() >= limit:
                return None
            newest = connection.execute(_NEWEST, organization).scalar_one_or_none()
            stored = replace(webhook, starts_after=newest or BEFORE_ALL)
            connection.execute(_webhook.insert().values(_columns(stored)))
            return stored

        try:
            return await self._database.write(run)
        except IntegrityError as error:
            if is_missing_parent(error):
                raise SessionGoneError from error
            raise

    async def find(self, webhook_id: str) -> Webhook | None:
        """Returns the webhook, whoever owns it."""
        return await find_one(self._database, _FIND, webhook_of, wanted=webhook_id)

    async def page(self, organization_id: str, *, after: str, limit: int) -> Sequence[Webhook]:
        """Returns up to `limit` of an organization's webhooks, oldest first.

        Args:
            organization_id: whose.
            after: the id behind which the page begins; "" for the first page.
            limit: at least 1.
        """
        statement = (
            select(_webhook)
            .where(_webhook.c.organization_id == organization_id, _webhook.c.id > after)
            .order_by(_webhook.c.id)
            .limit(limit)
        )
        return await find_all(self._database, statement, webhook_of)

    async def update(self, webhook_id: str, changes: Mapping[str, object]) -> Webhook | None:
        """Sets fields of a webhook, and raises its revision.

        Args:
            webhook_id: which.
            changes: values by field of `Webhook`, `updated_at` among them.

        Returns:
            What it is now, or None where it is gone.

        Raises:
            SessionGoneError: the session that it shall be bound to was deleted.
        """
        statement = (
            update(_webhook)
            .where(_webhook.c.id == webhook_id)
            .values({**changes, "revision": _webhook.c.revision + 1})
            .returning(*_webhook.c)
        )

        def run(connection: Connection) -> Webhook | None:
            row = connection.execute(statement).one_or_none()
            return None if row is None else webhook_of(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

        try:
            return await self._database.write(run)
        except IntegrityError as error:
            if is_missing_parent(error):
                raise SessionGoneError from error
            raise

    async def delete(self, webhook_id: str) -> bool:
        """Deletes a webhook with everything stored for it; returns whether it was there."""
        return await execute(self._database, delete(_webhook).where(_webhook.c.id == webhook_id)) == 1


def new_id() -> str:
    """An id for a new webhook."""
    return PREFIX + str(ULID())


def _columns(webhook: Webhook) -> dict[str, object]:
    return {
        **asdict(webhook),
        "events": list(webhook.events),
        "custom_headers": dict(webhook.custom_headers),
    }


def webhook_of(*, events: Sequence[str], policy: str, **columns: object) -> Webhook:
    """The webhook that a row's columns, by name, say."""
    return Webhook(events=tuple(events), policy=RetryPolicy(policy), **columns)  # type: ignore[arg-type] # as stored
