"""Which node works an endpoint, and how far the endpoint has come along the log.

The lease is that of sessions (docs/decisions/0140): by the database's clock, with a generation as the fence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Executable, and_, bindparam, exists, false, literal, select, true, update

from server.store.database import Database
from server.store.dialect import EpochMs, insert
from server.store.life import RELEASED, Life
from server.store.portions import portions
from server.store.tables import table_of
from server.store.webhook_tables import WebhookCursorRow, WebhookRow
from server.store.webhooks import Webhook, webhook_of

_webhook = table_of(WebhookRow)
_cursor = table_of(WebhookCursorRow)

# Statements are built once: building one costs as much as running it.
_IN_FORCE: Final = select(_webhook).where(
    _webhook.c.id == bindparam("webhook"),
    _cursor.c.webhook_id == _webhook.c.id,
    _cursor.c.owner_generation == bindparam("generation"),
    _cursor.c.owner_expires_at > EpochMs(),
)
_REVISIONS: Final = (
    select(_webhook.c.id, _webhook.c.revision, _cursor.c.owner_generation)
    .join(_cursor, _cursor.c.webhook_id == _webhook.c.id)
    .where(_webhook.c.id.in_(bindparam("ids", expanding=True)), _cursor.c.owner_expires_at > EpochMs())
)
_HOLD: Final = (
    select(_cursor.c.webhook_id, _cursor.c.owner_generation)
    .where(_cursor.c.webhook_id.in_(bindparam("ids", expanding=True)), _cursor.c.owner_expires_at > EpochMs())
    .order_by(_cursor.c.webhook_id)  # in one order everywhere: two never wait for each other in a ring
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Streak:
    """How an endpoint has fared since it last took something.

    Attributes:
        failures: attempts that failed.
        dead: events that were given up.
        suspended: whether its circuit is open: what it has not taken waits in the log, and its head alone
            is tried.
    """

    failures: int = 0
    dead: int = 0
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class HeldEndpoint:
    """An endpoint that this life of the node works.

    Attributes:
        generation: of the lease; what carries an older one is not written.
        position: the id of the newest settled event.
    """

    webhook_id: str
    organization_id: str
    generation: int
    position: str
    streak: Streak


class WebhookCursorRepository:
    """Takes, renews and gives back endpoints, for one life of a node."""

    def __init__(self, database: Database, life: Life) -> None:
        """Takes nothing yet."""
        self._database = database
        self._life = life

    async def take(self, *, limit: int) -> Sequence[HeldEndpoint]:
        """Takes active endpoints that nobody works, oldest first.

        A new one begins behind the newest event of the moment in which it was made.

        Args:
            limit: endpoints at most, at least 1.
        """
        free = await self._database.read(lambda c: c.execute(self._any_free(c)).scalar_one())
        if not free:
            return ()

        def work(connection: Connection) -> list[HeldEndpoint]:
            connection.execute(_begin(connection))
            ids = connection.execute(self._free(connection, limit)).scalars().all()
            if not ids:
                return []
            taken = connection.execute(
                update(_cursor)
                .where(_cursor.c.webhook_id.in_(ids))
                .values(
                    owner_node=self._life.node,
                    owner_boot=self._life.boot,
                    owner_generation=_cursor.c.owner_generation + 1,
                    owner_expires_at=self._life.expiry(),
                )
                .returning(_cursor)
            )
            return [
                HeldEndpoint(
                    row.webhook_id,
                    row.organization_id,
                    row.owner_generation,
                    row.position,
                    Streak(row.failures, row.dead, row.suspended),
                )
                for row in taken
            ]

        return await self._database.write_first(work)

    async def renew(self, generations: Mapping[str, int]) -> Mapping[str, int]:
        """Renews leases of this life.

        Args:
            generations: of the endpoints that this node works.

        Returns:
            The revisions of the webhooks that it still works. The others were paused, deleted, or taken by
            another node.
        """
        renewed: dict[str, int] = {}
        for portion in portions(sorted(generations)):

            def work(
                connection: Connection, portion: Sequence[str] = portion
            ) -> Mapping[str, tuple[int, int]]:
                # Locked in the order of ids first, as whoever settles deliveries does.
                locked = (
                    select(_cursor.c.webhook_id)
                    .where(_cursor.c.webhook_id.in_(portion), self._life.owns(_cursor))
                    .order_by(_cursor.c.webhook_id)
                    .with_for_update()
                    .cte("locked")
                )
                connection.execute(
                    update(_cursor)
                    .where(_cursor.c.webhook_id.in_(select(locked.c.webhook_id)))
                    .values(owner_expires_at=self._life.expiry())
                )
                rows = connection.execute(
                    select(_webhook.c.id, _webhook.c.revision, _cursor.c.owner_generation)
                    .join(_cursor, _cursor.c.webhook_id == _webhook.c.id)
                    .where(_webhook.c.id.in_(portion), _webhook.c.active == true(), self._life.owns(_cursor))
                )
                return {row.id: (row.owner_generation, row.revision) for row in rows}

            for webhook_id, (generation, revision) in (await self._database.write_first(work)).items():
                if generations[webhook_id] == generation:
                    renewed[webhook_id] = revision
        return renewed

    async def release(self, webhook_id: str, generation: int) -> None:
        """Gives an endpoint back, where this generation still works it."""
        statement = (
            update(_cursor)
            .where(
                _cursor.c.webhook_id == webhook_id,
                self._life.owns(_cursor),
                _cursor.c.owner_generation == generation,
            )
            .values(**RELEASED)
        )
        await self._database.write_first(lambda connection: connection.execute(statement).rowcount)

    async def release_all(self) -> None:
        """Gives back whatever this life of the node works."""
        statement = update(_cursor).where(self._life.owns(_cursor)).values(**RELEASED)
        await self._database.write_first(lambda connection: connection.execute(statement).rowcount)

    async def revisions(self, held: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """The revisions of webhooks, by (webhook id, generation), where that generation still works them."""

        def work(connection: Connection) -> dict[tuple[str, int], int]:
            found: dict[tuple[str, int], int] = {}
            for ids in portions([webhook_id for webhook_id, _ in held]):
                for row in connection.execute(_REVISIONS, {"ids": ids}):
                    found[row.id, row.owner_generation] = row.revision
            return found

        return await self._database.read(work)

    async def in_force(self, webhook_id: str, generation: int) -> Webhook | None:
        """The webhook as it is now, where that generation still works it; else None."""
        parameters = {"webhook": webhook_id, "generation": generation}
        row = await self._database.read(lambda c: c.execute(_IN_FORCE, parameters).one_or_none())
        return None if row is None else webhook_of(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    def _any_free(self, connection: Connection) -> Executable:
        working = and_(_cursor.c.webhook_id == _webhook.c.id, ~self._life.may_take(_cursor, connection))
        return select(exists().where(_webhook.c.active == true(), ~exists().where(working)))

    def _free(self, connection: Connection, limit: int) -> Executable:
        return (
            select(_cursor.c.webhook_id)
            .join(_webhook, _webhook.c.id == _cursor.c.webhook_id)
            .where(_webhook.c.active == true(), self._life.may_take(_cursor, connection))
            .order_by(_cursor.c.webhook_id)
            .limit(limit)
            .with_for_update(of=_cursor, skip_locked=True)
        )


def hold(connection: Connection, wanted: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """Of several (webhook id, generation), those in force, which stay so until the transaction ends."""
    ids = sorted({webhook_id for webhook_id, _ in wanted})
    rows = connection.execute(_HOLD, {"ids": ids})
    return {(row.webhook_id, row.owner_generation) for row in rows} & set(wanted)


def _begin(connection: Connection) -> Executable:
    """Makes the cursors of new webhooks."""
    new = select(
        _webhook.c.id,
        _webhook.c.organization_id,
        _webhook.c.starts_after,
        literal(0),
        literal(0),
        false(),
        literal(0),
    ).where(_webhook.c.active == true(), ~exists().where(_cursor.c.webhook_id == _webhook.c.id))
    return (
        insert(connection.dialect.name, _cursor)
        .from_select(
            [
                "webhook_id",
                "organization_id",
                "position",
                "failures",
                "dead",
                "suspended",
                "owner_generation",
            ],
            new,
        )
        .on_conflict_do_nothing()
    )
