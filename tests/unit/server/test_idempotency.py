"""Idempotency keys: one key, one message, one answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from ulid import ULID

from server.errors import Code, WagateError
from server.messages.composing import Draft
from server.messages.keys import KEY_LENGTH, read_key
from server.messages.results import SendResult, SendStatus
from server.sessions.state import Status
from server.store.leases import LeaseRepository
from server.store.records import IdempotencyKey, Session
from server.store.reservations import Reservation, ReservationRepository
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.refusals import Refusal
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until_async

NUMBER = "628110000001"
ADA = "628120000001"
ADA_JID = f"{ADA}@s.whatsapp.net"


@pytest.fixture(autouse=True)
def people(network: MemoryNetwork) -> None:
    network.account(ADA)


@pytest_asyncio.fixture
async def hasty(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[MemoryNode]:
    """A node that waits for WhatsApp only for a moment."""
    async with memory_node(tmp_path, network, send_timeout=0.05) as node:
        yield node


def key_of(node: MemoryNode, name: str = "k") -> IdempotencyKey:
    return IdempotencyKey(node.principal.organization_id, name)


async def send(node: MemoryNode, session: Session, text: str = "hello", key: str = "k") -> SendResult:
    return await node.sending.send(session, Draft(ADA_JID, "text", text), key_of(node, key))


async def refusal_of(node: MemoryNode, session: Session) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await send(node, session)
    return caught.value


async def test_a_replay_gives_the_original_result_and_sends_nothing(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    first = await send(node, session)
    again = await send(node, session, "something else")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.wa_message_id, again.timestamp) == (first.wa_message_id, first.timestamp)
    assert again.status is SendStatus.SENT
    assert [heard.text for heard in network.account(ADA).heard] == ["hello"]


async def test_concurrent_twins_send_once_and_hear_the_same(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    results = await asyncio.gather(*(send(node, session) for _ in range(20)))
    assert len(network.account(ADA).heard) == 1
    assert {result.wa_message_id for result in results} == {network.account(ADA).heard[0].id}
    assert sorted(result.replayed for result in results) == [False] + [True] * 19


async def test_different_keys_send_each_and_none_at_all_too(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    await send(node, session, key="a")
    await send(node, session, key="b")
    await node.send(session, ADA, "hello")
    await node.send(session, ADA, "hello")
    assert len(network.account(ADA).heard) == 4


async def test_a_replay_is_answered_while_the_session_is_away(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    first = await send(node, session)
    await node.sessions.stop(session)
    assert (await send(node, session)).wa_message_id == first.wa_message_id


async def test_a_replay_is_answered_after_a_restart(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        first = await send(node, session)
    async with memory_node(tmp_path, network) as node:
        again = await send(node, session)
    assert (again.wa_message_id, again.replayed) == (first.wa_message_id, True)
    assert len(network.account(ADA).heard) == 1


async def test_a_replay_uses_none_of_the_rate(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    for _ in range(session.rate_per_min + 5):
        await send(node, session)


async def test_what_was_refused_can_be_tried_again_under_its_key(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.refuse_next(NUMBER, Refusal.REACH_OUT_TIMELOCK)
    assert (await refusal_of(node, session)).code is Code.WHATSAPP_ERROR
    assert not (await send(node, session)).replayed
    assert len(network.account(ADA).heard) == 1


async def test_what_could_not_begin_uses_no_key(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    assert (await refusal_of(node, session)).code is Code.CONFLICT
    await node.sessions.start(session)
    await node.status_is(session.id, Status.WORKING)
    assert not (await send(node, session)).replayed


async def test_twins_of_a_refused_send_are_refused_with_it(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    held = network.hold_next(NUMBER)
    twins = [asyncio.create_task(send(node, session)) for _ in range(5)]
    await held.reached.wait()
    held.refuse(Refusal.OVER_LIMIT)
    answers = await asyncio.gather(*twins, return_exceptions=True)
    assert {error.code for error in answers if isinstance(error, WagateError)} == {Code.WHATSAPP_ERROR}
    assert len(answers) == 5
    assert network.account(ADA).heard == []


async def test_an_unknown_outcome_is_told_to_every_replay_and_nothing_is_sent_again(
    hasty: MemoryNode, network: MemoryNetwork
) -> None:
    session = await hasty.working(NUMBER)
    network.stops_may_end.clear()
    network.hold_next(NUMBER)
    assert (await refusal_of(hasty, session)).code is Code.TIMEOUT
    replayed = await refusal_of(hasty, session)
    assert (replayed.code, replayed.details) == (Code.CONFLICT, {"outcome": "indeterminate"})
    network.stops_may_end.set()
    assert network.account(ADA).heard == []


async def test_a_late_answer_settles_the_key(hasty: MemoryNode, network: MemoryNetwork) -> None:
    session = await hasty.working(NUMBER)
    network.stops_may_end.clear()
    held = network.hold_next(NUMBER)
    assert (await refusal_of(hasty, session)).code is Code.TIMEOUT
    held.accept()

    async def settled() -> SendResult | None:
        try:
            return await send(hasty, session)
        except WagateError:
            return None

    await until_async(settled, "the late answer is kept")
    result = await send(hasty, session)
    network.stops_may_end.set()
    (heard,) = network.account(ADA).heard
    assert (result.wa_message_id, result.replayed) == (heard.id, True)


async def test_a_key_that_a_dead_node_left_says_that_nobody_knows(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    """A node that died after reserving and before its answer was recorded."""
    session = await node.working(NUMBER)
    generation = node.sessions.generation(session.id)
    assert generation is not None
    await ReservationRepository(node.database).reserve(
        Reservation(session.id, generation, 1, None, key_of(node))
    )
    refused = await refusal_of(node, session)
    assert (refused.code, refused.details) == (Code.CONFLICT, {"outcome": "indeterminate"})
    assert network.account(ADA).heard == []


async def test_a_key_that_another_node_works_on_says_so(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(session)
    leases = LeaseRepository(node.database, node="node-2", boot=str(ULID()), seconds=60)
    generation = await leases.acquire(session.id)
    await ReservationRepository(node.database).reserve(
        Reservation(session.id, generation, 1, None, key_of(node))
    )
    refused = await refusal_of(node, session)
    assert (refused.code, refused.details) == (Code.CONFLICT, {"outcome": "under_way"})
    assert refused.retry_after == 1
    await leases.release(session.id, generation)
    assert (await refusal_of(node, session)).details == {"outcome": "indeterminate"}


@pytest.mark.parametrize("text", ["", "x" * (KEY_LENGTH + 1), "a\nb", "ключ", "\x7f"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WagateError) as caught:
        read_key("org", text)
    assert set(caught.value.details) == {"Idempotency-Key"}


def test_a_key_is_its_organizations() -> None:
    assert read_key("org", "x" * KEY_LENGTH) == IdempotencyKey("org", "x" * KEY_LENGTH)
