"""Whatever nodes do and in whatever order: of a session's generations at most one is accepted."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, text

from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import open_database
from server.store.leases import HeldElsewhereError, LeaseRepository, held
from server.store.records import Organization
from server.store.sessions import SessionRepository
from tests.support.databases import Postgres
from tests.support.leases import a_lease_repository
from tests.support.records import a_session

Result = TypeVar("Result")

SESSION = "S"
NAMES = st.sampled_from(["a", "b", "c"])


class Nodes(RuleBasedStateMachine):
    """Nodes that come to life, acquire, renew, release and are forgotten, over one session."""

    def __init__(self, url: str = "") -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.is_shared = bool(url)
        self.database = open_database(url or f"sqlite:///{Path(self.folder.name) / 'store.db'}")
        self.lives = 0
        # every generation that any life was ever given, and whose
        self.given: dict[int, LeaseRepository] = {}
        self.nodes: dict[str, LeaseRepository] = {}
        self.run(self.prepare())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    async def prepare(self) -> None:
        await schema.upgrade(self.database)
        organization = await ApiKeyRepository(self.database).organization(Organization("org", "acme", 1))
        await SessionRepository(self.database).delete(SESSION)
        await SessionRepository(self.database).add(a_session(organization.id, SESSION))

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(name=NAMES)
    def begin_a_life(self, name: str) -> None:
        self.lives += 1
        if not self.is_shared:
            self.nodes.clear()  # the lock on the file sees to that
        self.nodes[name] = a_lease_repository(self.database, name, boot=f"{self.lives:026d}")

    @precondition(lambda self: self.nodes)
    @rule(data=st.data())
    def acquire(self, data: st.DataObject) -> None:
        leases = self.nodes[data.draw(st.sampled_from(sorted(self.nodes)))]
        try:
            generation = self.run(leases.acquire(SESSION))
        except HeldElsewhereError:
            assert self.is_shared
            return
        assert generation > max(self.given, default=0)
        self.given[generation] = leases

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        generation = data.draw(st.sampled_from(sorted(self.given)))
        kept = self.run(self.given[generation].renew({SESSION: generation}))
        assert not kept or generation == max(self.given)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        generation = data.draw(st.sampled_from(sorted(self.given)))
        before = self.accepted()
        self.run(self.given[generation].release(SESSION, generation))
        assert self.accepted() == before - {generation}

    @precondition(lambda self: self.given)
    @rule()
    def let_the_lease_end(self) -> None:
        self.run(self.database.write(expire))
        assert self.accepted() == set()

    @invariant()
    def at_most_the_newest_generation_is_accepted(self) -> None:
        accepted = self.accepted()
        assert accepted <= ({max(self.given)} if self.given else set())

    def accepted(self) -> set[int]:
        generations = [*self.given, 0, max(self.given, default=0) + 1]

        def look(connection: Connection) -> set[int]:
            return {generation for generation in generations if held(connection, SESSION, generation)}

        return self.run(self.database.write(look))


def expire(connection: Connection) -> None:
    connection.execute(text("UPDATE session SET owner_expires_at = 1 WHERE owner_boot IS NOT NULL"))


RULES = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_an_embedded_database_knows_one_holder() -> None:
    run_state_machine_as_test(Nodes, settings=RULES)


def test_a_shared_database_knows_one_holder(postgres_server: Postgres) -> None:
    url = postgres_server.create("lease_rules")

    class OnPostgres(Nodes):
        def __init__(self) -> None:
            super().__init__(url)

    run_state_machine_as_test(OnPostgres, settings=RULES)
