"""History, while the node that takes it is killed in the middle."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from server.config import Settings
from server.store.database import open_database
from server.store.history_tables import HistoryChunkRow, HistoryPieceRow
from server.store.tables import EventRow, table_of
from tests.support.stack import Stack, eventually

NUMBER = "628130000041"
MESSAGES, CHATS = 40_000, 8
STUBS = sum(n % 25 == 23 and n % CHATS in (3, 7) for n in range(MESSAGES))
"""Changes of groups among them, which are no messages; see `sandbox/invented_past.py`."""

_event, _chunk, _piece = (table_of(row) for row in (EventRow, HistoryChunkRow, HistoryPieceRow))


def _counted(connection: Connection) -> tuple[int, int]:
    told = select(func.count()).where(_event.c.name == "history.synced")
    waiting = select(func.count()).select_from(_chunk)
    pieces = select(func.count()).select_from(_piece)
    chunks = connection.execute(told).scalar_one() + connection.execute(waiting).scalar_one()
    return chunks, connection.execute(pieces).scalar_one()


def kept(stack: Stack) -> tuple[int, int]:
    """How many chunks the node has taken so far, and how many of their pieces wait."""

    async def ask() -> tuple[int, int]:
        url = stack.environment.get("WAGATE_DATABASE_URL", "")
        database = open_database(Settings(data_dir=Path(stack.data_dir), database_url=url).database)
        try:
            return await database.read(_counted)
        finally:
            await database.close()

    return asyncio.run(ask())


def chats(stack: Stack, session: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.rest.get(f"/sessions/{session}/chats").json()["data"]
    return found


def is_replaced(stack: Stack, old: int) -> bool:
    return stack.node.pid != old


def test_history_that_was_kept_is_stored_whole_through_kills(stack: Stack) -> None:
    ada = stack.person("628140000041", "Ada")
    held = stack.sandbox.put(f"/phones/{NUMBER}/history", json={"messages": MESSAGES, "chats": CHATS})
    chunks = held.json()["chunks"]
    session = stack.paired(NUMBER)
    eventually(lambda: kept(stack)[0] == chunks, "all of the history is kept")
    waiting = [kept(stack)[1]]
    for number in range(2):
        old = stack.node
        old.kill()
        waiting.append(kept(stack)[1])
        eventually(partial(is_replaced, stack, old.pid), "the node is replaced")
        stack.await_status(session, "working")
        assert stack.send(session, ada, f"live {number}").status_code == 200
    eventually(lambda: kept(stack) == (chunks, 0), "all of the history is stored")
    # The node was killed with work left, and every message is there once.
    assert waiting[1] > 0
    ids = [
        (chat["jid"], message["senderJid"], message["waMessageId"])
        for chat in chats(stack, session)
        for message in stack.stored(session, chat["jid"])
    ]
    assert len(ids) == len(set(ids)) == MESSAGES - STUBS + 2
