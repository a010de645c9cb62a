"""Migrations keep what is there, on the way up and on the way back, on both engines."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from server.store import schema
from server.store.database import Database, open_database

FIRST = "0001"

FILL = """
INSERT INTO secret (name, value) VALUES ('cursors', 'x');
INSERT INTO organization (id, name, created_at) VALUES ('o', 'acme', 1);
INSERT INTO api_key (id, organization_id, secret_hash, label, permissions, created_at)
    VALUES ('k', 'o', 'h', 'l', '["read"]', 1);
INSERT INTO session (id, organization_id, label, auto_read, presence_typing, is_admin_session, created_by,
    created_at, updated_at, rate_per_min, rate_per_hour, wanted, wa_jid)
    VALUES ('s', 'o', 'שלום', true, false, false, 'k', 1, 2, 20, 600, true, '1@s.whatsapp.net');
INSERT INTO chat (id, session_id, jid, name, last_message_at, unread_count, archived, pinned)
    VALUES (7, 's', '2@s.whatsapp.net', 'Ada', 9, 3, false, true);
INSERT INTO message (id, chat_id, wa_message_id, sender_jid, from_me, type, body, ack_level, timestamp,
    created_at, content) VALUES (11, 7, 'M', '2@s.whatsapp.net', false, 'text', '😀', 0, 9, 9, 'c');
INSERT INTO address (session_id, lid, phone_jid) VALUES ('s', '7@lid', '2@s.whatsapp.net')
"""


def config(connection: Connection) -> Config:
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    alembic.attributes["connection"] = connection
    return alembic


def at_the_first(connection: Connection) -> None:
    command.upgrade(config(connection), FIRST)
    for statement in FILL.split(";"):
        connection.execute(text(statement))


def down_to_the_first(connection: Connection) -> None:
    command.downgrade(config(connection), FIRST)


def everything(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables."""
    return {
        table: [dict(row) for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()]
        for table in inspect(connection).get_table_names()
        if table != "alembic_version"
    }


def indices(connection: Connection) -> set[str | None]:
    found = inspect(connection)
    return {index["name"] for table in found.get_table_names() for index in found.get_indexes(table)}


@pytest.fixture
def old(empty_url: str) -> Database:
    return open_database(empty_url)


async def test_a_database_of_the_first_release_goes_up_and_back_with_all_that_is_in_it(old: Database) -> None:
    try:
        await old.write(at_the_first)
        before = await old.read(everything)
        before_indices = await old.read(indices)
        # up, which adds to what is there and changes nothing of it
        await schema.upgrade(old)
        after = await old.read(everything)
        for table, rows in before.items():
            assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows
        assert (after["session"][0]["owner_generation"], after["session"][0]["owner_node"]) == (0, None)
        # back, and it is as it was
        await old.write(down_to_the_first)
        assert await old.read(everything) == before
        assert await old.read(indices) == before_indices
        # and up again
        await schema.upgrade(old)
        assert await old.read(everything) == after
    finally:
        await old.close()
