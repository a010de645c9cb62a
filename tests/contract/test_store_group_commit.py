"""Many writes in one commit: on both engines, in any order of arrival."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.group_commit import MAX_BATCH, GroupCommit
from server.store.records import Session
from tests.support.records import a_message
from tests.support.waiting import one_turn, until

_runs = itertools.count()


class Log:
    """Writes words into a table, one transaction per batch, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def apply(self, connection: Connection, words: Sequence[str]) -> list[str]:
        self.batches.append(list(words))
        for word in words:
            if word.startswith("bad"):
                # a real failure of the database, which spoils the transaction
                connection.execute(text("INSERT INTO organization (id, name) VALUES (NULL, NULL)"))
            connection.execute(
                text("INSERT INTO secret (name, value) VALUES (:name, :value)"), {"name": word, "value": b""}
            )
        return [f"stored {word}" for word in words]


async def stored(database: Database) -> set[str]:
    return set(
        await database.read(lambda connection: connection.execute(text("SELECT name FROM secret")).scalars())
    )


async def test_an_idle_writer_commits_a_single_item_at_once(database: Database) -> None:
    log = Log()
    commit = GroupCommit(database, log.apply)
    assert await commit.write("a") == "stored a"
    assert await stored(database) == {"a"}
    assert log.batches == [["a"]]


async def test_what_arrives_meanwhile_shares_the_next_commit(database: Database) -> None:
    log = Log()
    commit = GroupCommit(database, log.apply)
    words = [f"w{n}" for n in range(50)]
    # given a transaction that is under way
    first = asyncio.create_task(commit.write(words[0]))
    await until(lambda: log.batches, "the first transaction has begun")
    # when others arrive
    others = [asyncio.create_task(commit.write(word)) for word in words[1:]]
    # then they share the next one, in their order
    assert await asyncio.gather(first, *others) == [f"stored {word}" for word in words]
    assert log.batches == [words[:1], words[1:]]


async def test_who_expects_company_waits_for_it(database: Database) -> None:
    log = Log()
    commit = GroupCommit(database, log.apply, gather=1.0)
    first = asyncio.create_task(commit.write("a", company=True))
    await asyncio.sleep(0.05)  # long enough for a commit, and far below what is waited
    second = asyncio.create_task(commit.write("b"))
    assert [await first, await second] == ["stored a", "stored b"]
    assert log.batches == [["a", "b"]]


async def test_a_batch_has_an_upper_bound(database: Database) -> None:
    log = Log()
    words = [f"w{n}" for n in range(MAX_BATCH * 2 + 1)]
    assert len(await GroupCommit(database, log.apply).write_all(words)) == len(words)
    assert [len(batch) for batch in log.batches] == [MAX_BATCH, MAX_BATCH, 1]
    assert await stored(database) == set(words)


async def test_an_item_that_fails_harms_no_other(database: Database) -> None:
    commit = GroupCommit(database, Log().apply)
    results = await asyncio.gather(
        *(commit.write(word) for word in ("a", "bad1", "b", "bad2", "c")), return_exceptions=True
    )
    assert [result for result in results if isinstance(result, str)] == ["stored a", "stored b", "stored c"]
    assert isinstance(results[1], IntegrityError)
    assert isinstance(results[3], IntegrityError)
    assert await stored(database) == {"a", "b", "c"}
    assert await commit.write("d") == "stored d"


async def test_of_items_given_together_the_good_ones_are_written_and_the_failure_told(
    database: Database,
) -> None:
    with pytest.raises(IntegrityError):
        await GroupCommit(database, Log().apply).write_all(["a", "bad", "b"])
    assert await stored(database) == {"a", "b"}


async def test_a_caller_who_goes_away_does_not_take_the_write_back(database: Database) -> None:
    commit = GroupCommit(database, Log().apply)
    writes = [asyncio.create_task(commit.write(word)) for word in "abc"]
    await one_turn()
    writes[0].cancel()
    writes[1].cancel()
    await asyncio.wait(writes)
    assert [write.cancelled() for write in writes] == [True, True, False]
    assert await stored(database) == {"a", "b", "c"}


@settings(
    max_examples=15,
    deadline=None,
    # The database is the same for all examples on purpose: their chats differ.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    arrivals=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 2), st.booleans()), min_size=1, max_size=30
    ),
)
async def test_any_order_of_arrival_ends_in_the_same_copy(
    conversations: ConversationRepository,
    session: Session,
    arrivals: list[tuple[int, int, bool]],
) -> None:
    """Each arrival is (message, chat, whether its writer waits before the next one writes)."""
    run = next(_runs)
    writes: list[asyncio.Task[Sequence[int | None]]] = []
    for number, chat, waits in arrivals:
        message = a_message(
            session.id, f"M{number}", chat_jid=f"{run}.{chat}", sender_jid="x", timestamp=number * 1000
        )
        writes.append(asyncio.create_task(conversations.store([message])))
        if waits:
            await writes[-1]
    results = [row_id for (row_id,) in await asyncio.gather(*writes)]
    # each message is new exactly once, at its first arrival
    seen: set[tuple[int, int]] = set()
    for (number, chat, _), row_id in zip(arrivals, results, strict=True):
        assert (row_id is not None) == ((number, chat) not in seen)
        seen.add((number, chat))
    # and the chats count and sort what is in them
    for chat in {chat for _, chat in seen}:
        numbers = sorted({number for number, where in seen if where == chat}, reverse=True)
        found = await conversations.find_chat(session.id, f"{run}.{chat}")
        assert found is not None
        assert found.unread_count == len(numbers)
        assert found.last_message_at == numbers[0] * 1000
        page = await conversations.page_messages(found.id, before=None, limit=100)
        assert [message.wa_message_id for message in page] == [f"M{number}" for number in numbers]
