"""The connection: transactions, cancellation, several processes."""

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from server.store.conversations import ConversationRepository
from server.store.database import Database, open_database
from server.store.records import Session
from tests.support.records import a_message
from tests.support.waiting import one_turn


async def names(database: Database) -> set[str]:
    return set(
        await database.read(lambda connection: connection.execute(text("SELECT name FROM secret")).scalars())
    )


def inserting(name: str) -> Callable[[Connection], None]:
    def insert(connection: Connection) -> None:
        connection.execute(
            text("INSERT INTO secret (name, value) VALUES (:name, :value)"), {"name": name, "value": b""}
        )

    return insert


async def test_a_transaction_that_fails_is_undone(database: Database) -> None:
    def fail(connection: Connection) -> None:
        inserting("a")(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert await names(database) == set()
    await database.write(inserting("a"))
    assert await names(database) == {"a"}


async def test_many_writers_and_readers_all_come_through(database: Database) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(database.write(inserting(f"w{n}")) for n in range(40)), *(names(database) for _ in range(40))
        )
    assert len(await names(database)) == 40


async def test_cancelled_writers_leave_a_database_that_works(database: Database) -> None:
    # given writers that are cancelled at every possible point
    committed: set[str] = set()

    async def write(name: str) -> None:
        await database.write(inserting(name))
        committed.add(name)

    chance = random.Random(7)
    for round_number in range(30):
        writers = [asyncio.create_task(write(f"{round_number}.{n}")) for n in range(5)]
        for _ in range(chance.randrange(12)):
            await one_turn()
        for writer in chance.sample(writers, 3):
            writer.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait(writers)
    # then the next one gets through, and whoever was told so is stored
    async with asyncio.timeout(10):
        await write("last")
    assert committed <= await names(database)


async def test_cancelled_readers_leave_a_database_that_works(database: Database) -> None:
    for turns in range(30):
        readers = [asyncio.create_task(names(database)) for _ in range(8)]
        for _ in range(turns % 10):
            await one_turn()
        for reader in readers:
            reader.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait(readers)
    async with asyncio.timeout(10):
        assert await names(database) == set()


WRITER = """
import asyncio, sys
from server.store.database import open_database
from sqlalchemy import text

async def main():
    database = open_database(sys.argv[1])
    insert = text("INSERT INTO secret (name, value) VALUES (:name, :value)")
    print("ready", flush=True)
    for number in range(50):
        values = {"name": f"child{number}", "value": b""}
        await database.write(lambda connection: connection.execute(insert, values))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_write_the_same_database_and_neither_fails(
    url: str, database: Database, session: Session
) -> None:
    # given another process, such as the command line, that writes as fast as it can
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    # when the node stores messages meanwhile
    ended = asyncio.ensure_future(child.communicate())
    conversations = ConversationRepository(database)
    count = 0
    while not ended.done() or count < 50:
        count += 1
        await conversations.store([a_message(session.id, f"M{count}")])
    # then everything of both is there
    await ended
    assert child.returncode == 0
    assert {f"child{n}" for n in range(50)} <= await names(database)
    chat = await conversations.find_chat(session.id, "628120000001@s.whatsapp.net")
    assert chat is not None
    assert chat.unread_count == count


async def test_an_acknowledged_write_on_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'store.db'}")

    def pragma(name: str) -> Callable[[Connection], object]:
        return lambda connection: connection.execute(text(f"PRAGMA {name}")).scalar_one()

    full = 2
    assert await database.write(pragma("synchronous")) == full
    assert await database.write(pragma("journal_mode")) == "wal"
    await database.close()
