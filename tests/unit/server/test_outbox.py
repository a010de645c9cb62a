"""Async sends: accepted durably, in order within a chat, each once, or told why not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from server.errors import Code, WagateError
from server.messages.composing import Draft
from server.messages.outbox import EXPIRED
from server.messages.results import SendResult, SendStatus
from server.sessions.ownership import Ownership
from server.sessions.state import Status
from server.store.outbox import Claim, OutboxRepository
from server.store.records import IdempotencyKey, Session
from server.store.tables import EventRow, OutboxRow, table_of
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.refusals import Refusal
from tests.support.event_schemas import problems
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

NUMBER = "628110000001"
ADA = "628120000001"
BOB = "628120000002"


@pytest.fixture(autouse=True)
def people(network: MemoryNetwork) -> None:
    network.account(ADA)
    network.account(BOB)


async def accept(
    node: MemoryNode, session: Session, text: str, number: str = ADA, key: str | None = None
) -> SendResult:
    reserved = None if key is None else IdempotencyKey(node.principal.organization_id, key)
    draft = Draft(f"{number}@s.whatsapp.net", "text", text)
    return await node.gateway.outbox.accept(session, draft, reserved)


def heard(network: MemoryNetwork, number: str = ADA) -> list[str]:
    return [message.text for message in network.account(number).heard]


async def statuses(node: MemoryNode) -> list[tuple[str, str | None]]:
    """The `message.status` events so far, as (status, error)."""
    table = table_of(EventRow)
    rows = await node.database.read(
        lambda c: c.execute(select(table.c.name, table.c.payload).order_by(table.c.id)).all()
    )
    assert {row.name for row in rows} <= {"message", "message.status", "session.status"}
    told = [row.payload for row in rows if row.name == "message.status"]
    return [(payload["status"], payload["error"]) for payload in told]


async def all_settled(node: MemoryNode, count: int) -> None:
    async def done() -> bool:
        return len(await statuses(node)) >= count

    await until_async(done, f"{count} final states are known")


@pytest_asyncio.fixture
async def fast(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[MemoryNode]:
    """A node whose sessions have no send rates."""
    async with memory_node(tmp_path, network, rate_per_min=0) as node:
        yield node


async def test_an_accepted_message_is_sent_and_its_final_state_kept(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    result = await accept(node, session, "hello")
    assert (result.status, result.wa_message_id, result.timestamp) == (SendStatus.QUEUED, "", 0)
    assert result.outbox_id
    await all_settled(node, 1)
    assert heard(network) == ["hello"]
    (stored,) = await node.stored(session, ADA)
    assert (stored.body, stored.ack_level, stored.error) == ("hello", 1, None)
    assert stored.wa_message_id == network.account(ADA).heard[0].id
    table = table_of(EventRow)
    about_messages = select(table.c.payload).where(table.c.name != "session.status").order_by(table.c.id)
    payloads = await node.database.read(lambda c: c.execute(about_messages).scalars().all())
    message, payload = payloads
    assert (message["waMessageId"], message["direction"]) == (stored.wa_message_id, "out")
    assert not problems("message.status", payload)
    assert payload == {
        "ackLevel": 1,
        "chatJid": f"{ADA}@s.whatsapp.net",
        "chatLid": payload["chatLid"],
        "error": None,
        "outboxId": result.outbox_id,
        "participantJid": None,
        "participantLid": None,
        "status": "sent",
        "timestamp": stored.timestamp,
        "waMessageId": stored.wa_message_id,
    }


async def test_order_is_kept_within_a_chat(fast: MemoryNode, network: MemoryNetwork) -> None:
    session = await fast.working(NUMBER)
    texts = [f"m{n:03}" for n in range(150)]
    for text in texts:
        await accept(fast, session, text)
        await accept(fast, session, text, BOB)
    await all_settled(fast, 300)
    assert heard(network) == texts
    assert heard(network, BOB) == texts


async def test_a_session_that_is_away_keeps_its_messages_waiting(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    texts = [f"m{n}" for n in range(5)]
    for text in texts:
        await accept(node, session, text)
    assert heard(network) == []
    await node.sessions.start(session)
    await all_settled(node, 5)
    assert heard(network) == texts


async def test_what_waits_survives_a_restart(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        await node.sessions.stop(session)
        for text in ("one", "two"):
            await accept(node, session, text)
    assert heard(network) == []
    async with memory_node(tmp_path, network) as node:
        await node.sessions.start(session)
        await all_settled(node, 2)
    assert heard(network) == ["one", "two"]


async def test_a_session_without_an_account_takes_nothing(node: MemoryNode) -> None:
    session = await node.create()
    with pytest.raises(WagateError) as caught:
        await accept(node, session, "hello")
    assert (caught.value.code, caught.value.details) == (Code.CONFLICT, {"status": "stopped"})


async def test_a_draft_that_is_wrong_is_refused_at_once(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    with pytest.raises(WagateError) as caught:
        await accept(node, session, "")
    assert caught.value.code is Code.VALIDATION_ERROR
    draft = Draft(f"{ADA}@s.whatsapp.net", "text", "hello", reply_to="nothing")
    with pytest.raises(WagateError) as caught:
        await node.gateway.outbox.accept(session, draft)
    assert set(caught.value.details) == {"replyTo"}


async def test_a_refused_message_fails_with_its_reason_and_the_next_goes_on(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.refuse_next(NUMBER, Refusal.REACH_OUT_TIMELOCK)
    await accept(node, session, "refused")
    await accept(node, session, "taken")
    await all_settled(node, 2)
    assert heard(network) == ["taken"]
    assert sorted(await statuses(node)) == [("failed", "reach_out_timelock"), ("sent", None)]
    stored = {message.body: message for message in await node.stored(session, ADA)}
    assert (stored["refused"].ack_level, stored["refused"].error) == (-1, "reach_out_timelock")


async def test_a_lost_connection_puts_messages_back_and_keeps_their_order(
    fast: MemoryNode, network: MemoryNetwork
) -> None:
    session = await fast.working(NUMBER)
    held = network.hold_next(NUMBER)
    texts = [f"m{n}" for n in range(20)]
    for text in texts:
        await accept(fast, session, text)
    await held.reached.wait()
    network.drop(NUMBER)
    await until(lambda: bool(network.clients[-1].is_away), "the connection is lost")
    network.restore(NUMBER)
    await all_settled(fast, 20)
    # Nobody knows about the one that was under way; all others came, in order, and none twice.
    assert heard(network) == texts[1:]
    assert (await statuses(fast)).count(("indeterminate", None)) == 1


async def test_nothing_is_sent_without_a_lease_though_the_connection_stands(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given messages to one person, of which the first is under way and the others wait for it
    session = await node.working(NUMBER)
    held = network.hold_next(NUMBER)
    for text in ("first", "second", "third"):
        await accept(node, session, text)
    await held.reached.wait()
    # when the lease is lost before the answer comes, and nobody has stopped the client yet
    with monkeypatch.context() as lost:
        lost.setattr(Ownership, "generation", lambda *_: None)
        held.accept()
        await all_settled(node, 1)
        repository = OutboxRepository(node.database)

        async def queued_again() -> bool:
            return len(await repository.waiting(session.id, behind=0, limit=10)) == 2

        await until_async(queued_again, "the others are put back")
        assert heard(network) == ["first"]
    # then the others wait for whoever holds it next
    node.gateway.outbox.wake(session)
    await all_settled(node, 3)
    assert heard(network) == ["first", "second", "third"]


async def test_what_a_dead_node_was_sending_is_indeterminate_and_never_sent_again(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    await accept(node, session, "under way")
    await accept(node, session, "waiting")
    repository = OutboxRepository(node.database)
    first, _ = await repository.waiting(session.id, behind=0, limit=10)
    table = table_of(OutboxRow)
    claimed = update(table).where(table.c.number == first.number).values(status="sending", generation=-1)
    await node.database.write(lambda c: c.execute(claimed))
    assert await repository.claim([Claim(first.number, session.id, -1, None)]) == [False]
    await node.sessions.start(session)
    await all_settled(node, 2)
    assert heard(network) == ["waiting"]
    assert sorted(await statuses(node)) == [("indeterminate", None), ("sent", None)]


async def test_a_late_answer_is_recorded_too(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network, send_timeout=0.05) as node:
        session = await node.working(NUMBER)
        network.stops_may_end.clear()
        held = network.hold_next(NUMBER)
        await accept(node, session, "slow")
        await all_settled(node, 1)
        held.accept()
        await all_settled(node, 2)
        network.stops_may_end.set()
        assert await statuses(node) == [("indeterminate", None), ("sent", None)]
        (stored,) = await node.stored(session, ADA)
        assert (stored.ack_level, stored.error) == (1, None)


async def test_what_waited_for_too_long_fails(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    await accept(node, session, "old")
    table = table_of(OutboxRow)
    await node.database.write(lambda c: c.execute(update(table).values(created_at=1)))
    await accept(node, session, "young")
    await node.gateway.outbox.give_up_overdue()
    assert await statuses(node) == [("failed", EXPIRED)]
    await node.sessions.start(session)
    await all_settled(node, 2)
    assert heard(network) == ["young"]


async def test_a_key_accepts_once(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    results = await asyncio.gather(*(accept(node, session, "hello", key="k") for _ in range(10)))
    assert len({result.outbox_id for result in results}) == 1
    assert sorted(result.replayed for result in results) == [False] + [True] * 9
    assert {result.status for result in results} == {SendStatus.QUEUED}
    await all_settled(node, 1)
    assert heard(network) == ["hello"]


async def test_a_bulk_of_async_sends_waits_for_the_rate_and_leaves_room_for_a_sync_one(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    assert session.rate_per_min == 20
    for number in range(50):
        await accept(node, session, f"bulk {number}")
    await all_settled(node, 16)
    for _ in range(4):
        await node.send(session, BOB, "urgent")
    with pytest.raises(WagateError) as caught:
        await node.send(session, BOB, "too much")
    assert caught.value.code is Code.RATE_LIMITED
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 60
    assert heard(network) == [f"bulk {number}" for number in range(16)]
    assert heard(network, BOB) == ["urgent"] * 4


async def test_the_rate_is_exact_across_restarts(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        for _ in range(15):
            await node.send(session, ADA, "before")
    async with memory_node(tmp_path, network) as node:
        await node.status_is(session.id, Status.WORKING)
        for _ in range(5):
            await node.send(session, ADA, "after")
        with pytest.raises(WagateError) as caught:
            await node.send(session, ADA, "too much")
    assert caught.value.code is Code.RATE_LIMITED
    assert len(heard(network)) == 20


async def test_what_could_not_be_put_back_is_put_back_later_and_never_called_indeterminate(
    fast: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost while the database is away."""
    session = await fast.working(NUMBER)
    put_back = OutboxRepository.put_back
    failed = asyncio.Event()

    async def is_away(_repository: OutboxRepository, _number: int) -> None:
        failed.set()
        raise OSError("the database is away")

    monkeypatch.setattr(OutboxRepository, "put_back", is_away)
    network.refuse_next(NUMBER, Refusal.NOT_CONNECTED)
    await accept(fast, session, "hello")
    await failed.wait()
    monkeypatch.setattr(OutboxRepository, "put_back", put_back)
    await fast.sessions.restart(session)
    await all_settled(fast, 1)
    assert heard(network) == ["hello"]
    assert await statuses(fast) == [("sent", None)]


async def test_a_claim_of_unknown_outcome_is_put_back(
    fast: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await fast.working(NUMBER)
    claim = OutboxRepository.claim
    failed = asyncio.Event()

    async def commits_and_fails(repository: OutboxRepository, claims: Sequence[Claim]) -> Sequence[bool]:
        await claim(repository, claims)
        failed.set()
        raise OSError("the connection broke while it was committed")

    monkeypatch.setattr(OutboxRepository, "claim", commits_and_fails)
    await accept(fast, session, "hello")
    await failed.wait()
    monkeypatch.setattr(OutboxRepository, "claim", claim)
    await fast.sessions.restart(session)
    await all_settled(fast, 1)
    assert heard(network) == ["hello"]
    assert await statuses(fast) == [("sent", None)]
