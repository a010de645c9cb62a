"""Whatever a node is doing when it dies: a key never sends twice, an outbox entry never either."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import WagateError
from server.messages.composing import Draft
from server.messages.results import SendResult
from server.sessions.state import Status
from server.store.outcomes import Outcome
from server.store.records import IdempotencyKey, KeptResult, Session
from server.store.reservations import Reservation
from server.whatsapp.content import Content
from server.whatsapp.jid import Jid
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.port import Client, Sent
from server.whatsapp.refusals import Refusal
from tests.support.memory_node import MemoryNode, memory_node

NUMBER = "628110000001"
ADA = "628120000001"
ADA_JID = f"{ADA}@s.whatsapp.net"

POINTS = ("none", "before reserving", "reserved", "before sending", "sent", "recorded", "refused")
lives = st.lists(
    st.tuples(st.sampled_from(POINTS), st.lists(st.integers(0, 2), min_size=1, max_size=4)),
    min_size=1,
    max_size=5,
)


class NodeDiedError(Exception):
    """The process is gone: nothing after this point happened."""


def die_at(node: MemoryNode, point: str) -> None:
    """The node dies when its next send comes to `point`."""
    delivery, ledger = node.gateway.delivery, node.gateway.ledger
    deliver, reserve, record = delivery.deliver, ledger.reservations.reserve, node.sending.outcomes.record

    async def dying_reserve(reservation: Reservation) -> KeptResult | None:
        if point == "before reserving":
            raise NodeDiedError
        kept = await reserve(reservation)
        if point == "reserved" and kept is None:
            raise NodeDiedError
        return kept

    async def dying_deliver(session: Session, client: Client, to: Jid, content: Content) -> Sent:
        if point == "before sending":
            raise NodeDiedError
        sent = await deliver(session, client, to, content)
        if point == "sent":
            raise NodeDiedError
        return sent

    async def dying_record(outcome: Outcome, *, company: bool = False) -> int | None:
        row_id = await record(outcome, company=company)
        if point == "recorded":
            raise NodeDiedError
        return row_id

    ledger.reservations.reserve = dying_reserve  # type: ignore[method-assign] # the crash under test
    delivery.deliver = dying_deliver  # type: ignore[method-assign] # the crash under test
    node.sending.outcomes.record = dying_record  # type: ignore[method-assign] # the crash under test


async def one_life(
    folder: Path, network: MemoryNetwork, session: Session, point: str, keys: Sequence[int]
) -> list[tuple[int, SendResult]]:
    async with memory_node(folder, network, rate_per_min=0) as node:
        await node.status_is(session.id, Status.WORKING)
        die_at(node, point)
        if point == "refused":
            network.refuse_next(NUMBER, Refusal.OVER_LIMIT)

        async def send(key: int) -> tuple[int, SendResult] | None:
            draft = Draft(ADA_JID, "text", f"key {key}")
            reserved = IdempotencyKey(node.principal.organization_id, str(key))
            try:
                return key, await node.sending.send(session, draft, reserved)
            except (NodeDiedError, WagateError):
                return None

        answers = await asyncio.gather(*map(send, keys))
        return [answer for answer in answers if answer is not None]


async def run_lives(folder: Path, script: Sequence[tuple[str, Sequence[int]]]) -> None:
    network = MemoryNetwork()
    network.account(ADA)
    async with memory_node(folder, network, rate_per_min=0) as node:
        session = await node.working(NUMBER)
    answers: list[tuple[int, SendResult]] = []
    for point, keys in script:
        answers += await one_life(folder, network, session, point, keys)
    heard = Counter(message.text for message in network.account(ADA).heard)
    assert all(count == 1 for count in heard.values())
    ids = {message.text: message.id for message in network.account(ADA).heard}
    # Every success under a key is the one message that went out under it.
    assert all(result.wa_message_id == ids[f"key {key}"] for key, result in answers)
    for key in {key for key, _ in answers}:
        assert sum(not result.replayed for of, result in answers if of == key) <= 1


@settings(max_examples=20, deadline=None)
@given(lives)
def test_a_key_never_sends_twice(script: list[tuple[str, list[int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_lives(Path(folder), script))


async def run_outbox_lives(folder: Path, points: Sequence[str]) -> None:
    network = MemoryNetwork()
    network.account(ADA)
    async with memory_node(folder, network, rate_per_min=0) as node:
        session = await node.working(NUMBER)
    for life, point in enumerate(points):
        async with memory_node(folder, network, rate_per_min=0) as node:
            await node.status_is(session.id, Status.WORKING)
            die_at(node, point)
            for number in range(3):
                draft = Draft(ADA_JID, "text", f"{life}.{number}")
                await node.gateway.outbox.accept(session, draft)
    async with memory_node(folder, network, rate_per_min=0) as node:
        await node.status_is(session.id, Status.WORKING)
        await node.drained(session)
        stored = {message.body: message for message in await node.stored(session, ADA)}
    texts = {f"{life}.{number}" for life in range(len(points)) for number in range(3)}
    heard = [message.text for message in network.account(ADA).heard]
    assert len(heard) == len(set(heard))
    # Each was accepted, so each is accounted for: sent and heard, or said to be indeterminate.
    assert set(stored) == texts
    assert {body for body, message in stored.items() if message.error is None} <= set(heard)
    assert {message.error for message in stored.values()} <= {None, "indeterminate"}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(("none", "before sending", "sent", "recorded")), min_size=1, max_size=4))
def test_an_accepted_message_is_never_sent_twice_and_never_forgotten(points: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_outbox_lives(Path(folder), points))
