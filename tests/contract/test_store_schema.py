"""The schema: migrations and models say the same, on both engines."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from server.errors import Code, WagateError
from server.store import schema
from server.store.database import Database, open_database


async def names_of_tables(database: Database) -> set[str]:
    return set(await database.read(lambda connection: inspect(connection).get_table_names()))


async def one(database: Database, statement: str) -> object:
    """The one value that a statement selects."""
    return await database.read(lambda connection: connection.execute(text(statement)).scalar_one())


async def run(database: Database, statement: str) -> None:
    await database.write(lambda connection: connection.execute(text(statement)))


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    assert await database.write(differences) == []
    assert await names_of_tables(database) == {*SQLModel.metadata.tables, "alembic_version"}


async def test_upgrading_again_changes_nothing(database: Database) -> None:
    await run(database, "INSERT INTO organization (id, name, created_at) VALUES ('o', 'n', 1)")
    await schema.upgrade(database)
    await schema.upgrade(database)
    assert await one(database, "SELECT count(*) FROM organization") == 1


async def test_nodes_that_start_together_on_an_empty_database_share_the_work(empty_url: str) -> None:
    nodes = [open_database(empty_url) for _ in range(4)]
    try:
        await asyncio.gather(*(schema.upgrade(node) for node in nodes))
        assert "message" in await names_of_tables(nodes[0])
    finally:
        for node in nodes:
            await node.close()


async def test_a_database_of_a_later_release_is_refused_and_left_alone(empty_url: str) -> None:
    database = open_database(empty_url)
    await schema.upgrade(database)
    await run(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WagateError, match="9999") as caught:
        await schema.upgrade(database)
    assert caught.value.code is Code.UNAVAILABLE
    assert await one(database, "SELECT version_num FROM alembic_version") == "9999"
    await database.close()


async def test_a_later_migration_that_fails_leaves_nothing_half_done(empty_url: str) -> None:
    # given a database in which somebody else's table stands in the way of the last one
    database = open_database(empty_url)
    try:
        await run(database, "CREATE TABLE address (x INTEGER)")
        # when the migrations fail over it
        with pytest.raises(Exception, match="address"):
            await schema.upgrade(database)
        # then none of the tables before it stands
        assert await names_of_tables(database) == {"address"}
    finally:
        await database.close()
