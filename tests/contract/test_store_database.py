"""The connection: transactions, cancellation, several processes."""

import asyncio
import random
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import Session
from tests.support.records import a_message

INSERT = text("INSERT INTO secret (name, value) VALUES (:name, :value)")


async def names(database: Database) -> set[str]:
    async with database.read() as connection:
        return set((await connection.execute(text("SELECT name FROM secret"))).scalars())


async def test_a_transaction_that_fails_is_undone(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a", "value": b""})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await names(database) == set()


async def test_readers_do_not_see_what_is_not_committed_and_do_not_wait(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(INSERT, {"name": "a", "value": b""})
        async with asyncio.timeout(5):
            assert await names(database) == set()
    assert await names(database) == {"a"}


async def test_many_writers_and_readers_all_come_through(database: Database) -> None:
    async def write(name: str) -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": name, "value": b""})

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(f"w{n}") for n in range(40)), *(names(database) for _ in range(40)))
    assert len(await names(database)) == 40


async def test_cancelled_writers_leave_a_database_that_works(database: Database) -> None:
    # given writers that are cancelled at every possible point
    committed: set[str] = set()

    async def write(name: str) -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": name, "value": b""})
        committed.add(name)

    chance = random.Random(7)
    for round_number in range(30):
        writers = [asyncio.create_task(write(f"{round_number}.{n}")) for n in range(5)]
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
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
            await asyncio.sleep(0)
        for reader in readers:
            reader.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait(readers)
    async with asyncio.timeout(10):
        assert await names(database) == set()


WRITER = """
import asyncio, sys
from server.store.database import Database
from sqlalchemy import text

async def main():
    database = Database(sys.argv[1])
    for number in range(50):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO secret (name, value) VALUES (:name, :value)"),
                {"name": f"child{number}", "value": b""},
            )
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_write_the_same_database_and_neither_fails(
    url: str, database: Database, session: Session
) -> None:
    # given another process, such as the command line, that writes as fast as it can
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, url)
    # when the node stores messages meanwhile
    conversations = ConversationRepository(database)
    count = 0
    while child.returncode is None or count < 50:
        count += 1
        await conversations.store([a_message(session.id, f"M{count}")])
        if count % 10 == 0:
            await asyncio.wait({asyncio.ensure_future(child.wait())}, timeout=0.01)
    # then everything of both is there
    assert await child.wait() == 0
    assert {f"child{n}" for n in range(50)} <= await names(database)
    chat = await conversations.find_chat(session.id, "628120000001@s.whatsapp.net")
    assert chat is not None
    assert chat.unread_count == count


async def test_an_acknowledged_write_on_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    async with database.write() as connection:
        full = 2
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == full
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
    await database.close()
