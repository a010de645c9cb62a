"""History that phones tell: kept first, stored behind live messages, whatever happens between."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.chats.histories import ADOPTED_AFTER_MS, Histories
from server.chats.ingest import Ingest
from server.clock import now_ms
from server.store.failures import DatabaseAwayError
from server.store.history import HistoryRepository, packed
from server.store.history_records import KeptPiece, NewChunk, Past
from server.store.past import Added
from server.store.records import Session
from server.whatsapp.history import HistoryReceived
from server.whatsapp.memory import MemoryNetwork
from tests.support.acts import logged
from tests.support.histories import chat, history, said, told
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

NUMBER = "628110000001"
ADA = "628120000001"
BOB = "628120000002"


def a_history(*texts: str, kind: int = HistorySync.RECENT) -> HistorySync:
    """What was said with Ada, a minute apart."""
    messages = [said(f"H{n}", text, at=1_600_000_000 + 60 * n) for n, text in enumerate(texts)]
    return history(chat(*messages), kind=kind)


class Held(HistoryRepository):
    """Finishes no piece before it may."""

    def __init__(self, node: MemoryNode) -> None:
        super().__init__(node.database)
        self.may_finish = asyncio.Event()
        self.reached = asyncio.Event()

    async def finish(self, piece: KeptPiece, past: Past | None) -> Added | None:
        self.reached.set()
        await self.may_finish.wait()
        return await super().finish(piece, past)


class Watched(HistoryRepository):
    """Counts who looks for pieces."""

    def __init__(self, node: MemoryNode) -> None:
        super().__init__(node.database)
        self._looks = 0

    async def next_piece(
        self, *, sessions: Collection[str] | None = None, before: int | None = None
    ) -> KeptPiece | None:
        piece = await super().next_piece(sessions=sessions, before=before)
        self._looks += 1
        return piece

    async def looks(self, more: int) -> None:
        """Waits for so many further looks."""
        enough = self._looks + more
        await until(lambda: self._looks >= enough, f"{more} looks")


class Noted(HistoryRepository):
    """Notes what is done."""

    def __init__(self, node: MemoryNode) -> None:
        super().__init__(node.database)
        self.done: list[str] = []

    async def keep(self, chunk: NewChunk) -> None:
        await super().keep(chunk)
        self.done.append("keep")

    async def finish(self, piece: KeptPiece, past: Past | None) -> Added | None:
        self.done.append("finish")
        return await super().finish(piece, past)


class Away(HistoryRepository):
    """Its database is away for the first calls of each kind."""

    def __init__(self, node: MemoryNode) -> None:
        super().__init__(node.database)
        self.failures = {"keep": 1, "finish": 1}

    def _fail(self, name: str) -> None:
        if self.failures[name]:
            self.failures[name] -= 1
            raise DatabaseAwayError

    async def keep(self, chunk: NewChunk) -> None:
        self._fail("keep")
        await super().keep(chunk)

    async def finish(self, piece: KeptPiece, past: Past | None) -> Added | None:
        self._fail("finish")
        return await super().finish(piece, past)


def use(node: MemoryNode, session: Session, histories: Histories) -> None:
    """From now on `histories` takes the session's history."""
    live = Ingest(node.conversations, node.addresses)
    node.use_ingest(session, histories.before(live))


async def synced(node: MemoryNode, count: int) -> list[dict[str, object]]:
    """Waits for so many chunks to be told; returns their events' payloads."""

    async def payloads() -> list[dict[str, object]]:
        return [event.payload for event in await logged(node.database) if event.name == "history.synced"]

    async def enough() -> bool:
        return len(await payloads()) >= count

    await until_async(enough, f"{count} chunks are told")
    return await payloads()


async def test_history_becomes_part_of_the_stored_copy_without_events_for_its_messages(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    texts = [f"old {n}" for n in range(600)]
    network.give_history(NUMBER, a_history(*texts))
    network.write(ADA, NUMBER, "new")
    assert await node.bodies(session, ADA, 601) == [*texts, "new"]
    (payload,) = await synced(node, 1)
    assert (payload["type"], payload["messages"]) == ("recent", 600)
    assert [event.name for event in await logged(node.database)].count("message") == 1


async def test_live_messages_do_not_wait_for_history(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    repository = Held(node)
    histories = Histories(repository)
    use(node, session, histories)
    histories.open()
    network.give_history(NUMBER, a_history("old"))
    await asyncio.wait_for(repository.reached.wait(), 10)
    network.write(ADA, NUMBER, "new")
    assert await node.bodies(session, ADA, 1) == ["new"]
    repository.may_finish.set()
    assert await node.bodies(session, ADA, 2) == ["old", "new"]
    await histories.close()


async def test_chunks_that_come_together_are_kept_before_any_is_worked_off(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    repository = Noted(node)
    histories = Histories(repository)
    use(node, session, histories)
    histories.open()
    for number in range(3):
        network.give_history(NUMBER, history(chat(said(f"H{number}", "old", at=1_600_000_000 + number))))
    await node.bodies(session, ADA, 3)
    assert repository.done == ["keep"] * 3 + ["finish"] * 3
    await histories.close()


async def test_what_was_kept_is_stored_by_the_next_node(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        use(node, session, Histories(HistoryRepository(node.database)))  # which never opens
        network.give_history(NUMBER, a_history("kept"))
        repository = HistoryRepository(node.database)

        async def is_kept() -> bool:
            return await repository.waiting(session.id) == 1

        await until_async(is_kept, "the history is kept")
    async with memory_node(tmp_path, network) as node:
        assert await node.bodies(session, ADA, 1) == ["kept"]


async def test_a_database_that_is_away_is_waited_for(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.chats.histories.RETRY_SECONDS", 0.01)
    session = await node.working(NUMBER)
    repository = Away(node)
    histories = Histories(repository)
    use(node, session, histories)
    histories.open()
    network.give_history(NUMBER, a_history("old"))
    network.write(ADA, NUMBER, "new")
    assert await node.bodies(session, ADA, 2) == ["old", "new"]
    assert repository.failures == {"keep": 0, "finish": 0}
    await histories.close()


async def test_what_another_node_left_behind_is_adopted_once_it_is_old(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    now = [now_ms()]
    repository = Watched(node)
    histories = Histories(repository, every=0.01, clock=lambda: now[0])
    histories.open()
    await repository.looks(2)
    other = Histories(HistoryRepository(node.database), clock=lambda: now[0])
    await other.keep(session, HistoryReceived("C1", told(a_history("left behind"))))
    await repository.looks(2)
    assert await node.stored(session, ADA) == []
    now[0] += ADOPTED_AFTER_MS + 1
    assert await node.bodies(session, ADA, 1) == ["left behind"]
    await histories.close()


async def test_what_cannot_be_read_is_set_aside_and_holds_nothing_back(
    node: MemoryNode, network: MemoryNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    session = await node.working(NUMBER)
    histories = node.gateway.histories
    await histories.keep(session, HistoryReceived("C1", b"\x0a\x7f"))
    assert "set aside" in caplog.text
    repository = HistoryRepository(node.database)
    chunk = NewChunk("C2", session.id, "recent", 5, "", None, now_ms(), [packed(b"\xff")])
    await repository.keep(chunk)
    network.give_history(NUMBER, a_history("readable"))
    assert await node.bodies(session, ADA, 1) == ["readable"]
    assert [payload["messages"] for payload in await synced(node, 2)] == [0, 1]
    assert "piece 1 of session" in caplog.text


async def test_history_that_comes_after_the_session_s_end_is_dropped(
    node: MemoryNode, caplog: pytest.LogCaptureFixture
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.delete(session)
    ingest = node.gateway.histories.before(node.ingest.ordinary)
    await ingest(session, [HistoryReceived("C1", told(a_history("late")))])
    await until(lambda: "after its end" in caplog.text, "it is said")


async def test_own_messages_in_history_are_the_account_s_whatever_they_are_called(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    mine = said("H1", "mine", mine=True)
    mine.status = mine.READ
    team = "120363000000000001@g.us"
    by_lid = said("H2", "by lid", chat=team, participant=str(network.account(NUMBER).lid))
    network.give_history(NUMBER, history(chat(mine), chat(by_lid, jid=team)))
    await synced(node, 1)
    (message,) = await node.stored(session, ADA)
    assert (message.from_me, message.sender_jid, message.ack_level) == (True, session.wa_jid, 3)
    group = await node.conversations.find_chat(session.id, team)
    assert group is not None
    (message,) = await node.conversations.page_messages(group.id, before=None, limit=9)
    assert message.sender_jid == session.wa_jid
