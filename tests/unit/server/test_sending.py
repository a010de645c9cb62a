"""Sends: WhatsApp's answer, or what is known without one, into the stored copy."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.errors import Code, WagateError
from server.messages.composing import Draft
from server.messages.results import SendStatus
from server.messages.sending import Sending
from server.sessions.state import Status
from server.store.outcomes import Outcome, OutcomeRepository
from server.store.records import Session
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.refusals import Refusal
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

NUMBER = "628110000001"
ADA = "628120000001"


@pytest_asyncio.fixture
async def hasty(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[MemoryNode]:
    """A node that waits for WhatsApp only for a moment."""
    network.account(ADA)
    async with memory_node(tmp_path, network, send_timeout=0.05) as node:
        yield node


@pytest.fixture(autouse=True)
def people(network: MemoryNetwork) -> None:
    network.account(ADA)


async def refused(sending: asyncio.Future[object] | asyncio.Task[object]) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await sending
    return caught.value


def send(node: MemoryNode, session: Session, text: str) -> "asyncio.Task[object]":
    """Begins a send; returns its task."""

    async def run() -> object:
        return await node.send(session, ADA, text)

    return asyncio.create_task(run())


async def test_a_sent_text_arrives_and_is_stored_before_the_answer(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    result = await node.send(session, ADA, "שלום 😀")
    (heard,) = network.account(ADA).heard
    assert (heard.id, heard.text) == (result.wa_message_id, "שלום 😀")
    (stored,) = await node.stored(session, ADA)
    assert (stored.wa_message_id, stored.timestamp) == (result.wa_message_id, result.timestamp)
    assert (stored.from_me, stored.body, stored.ack_level, stored.error) == (True, "שלום 😀", 1, None)
    assert stored.sender_jid == session.wa_jid
    assert result.status is SendStatus.SENT


async def test_sends_and_answers_stand_in_one_chat_in_order(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    await node.send(session, ADA, "question")
    network.write(ADA, NUMBER, "answer")
    assert set(await node.bodies(session, ADA, 2)) == {"question", "answer"}
    (chat,) = await node.conversations.page_chats(session.id, after=None, limit=10)
    assert chat.unread_count == 1


async def test_a_text_to_a_lid_is_stored_with_the_person_it_belongs_to(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    network.write(ADA, NUMBER, "hi")
    await node.bodies(session, ADA, 1)
    await node.sending.send(session, Draft(str(network.account(ADA).lid), "text", "hello"))
    assert sorted(await node.bodies(session, ADA, 2)) == ["hello", "hi"]


@pytest.mark.parametrize("refusal", [r for r in Refusal if r not in {Refusal.BUSY, Refusal.NOT_CONNECTED}])
async def test_a_refusal_is_told_by_its_word_and_nothing_is_stored(
    node: MemoryNode, network: MemoryNetwork, refusal: Refusal
) -> None:
    session = await node.working(NUMBER)
    network.refuse_next(NUMBER, refusal)
    error = await refused(send(node, session, "hello"))
    assert error.code is Code.WHATSAPP_ERROR
    assert error.details["reason"] == refusal
    assert await node.stored(session, ADA) == []
    assert network.account(ADA).heard == []


async def test_a_number_that_is_not_on_whatsapp_is_told_so(node: MemoryNode) -> None:
    session = await node.working(NUMBER)
    with pytest.raises(WagateError) as caught:
        await node.sending.send(session, Draft("628999999999@s.whatsapp.net", "text", "hello"))
    assert caught.value.details["reason"] == "not_on_whatsapp"


async def test_a_connection_that_is_gone_is_a_conflict(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    network.refuse_next(NUMBER, Refusal.NOT_CONNECTED)
    error = await refused(send(node, session, "hello"))
    assert (error.code, error.details) == (Code.CONFLICT, {"status": "starting"})


async def test_a_session_that_is_not_connected_sends_nothing(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.create()
    error = await refused(send(node, session, "hello"))
    assert (error.code, error.details) == (Code.CONFLICT, {"status": "stopped"})
    assert network.account(ADA).heard == []


async def test_the_draft_is_looked_at_before_the_connection(node: MemoryNode) -> None:
    session = await node.create()
    with pytest.raises(WagateError) as caught:
        await node.sending.send(session, Draft("", "text", ""))
    assert caught.value.code is Code.VALIDATION_ERROR


async def test_without_an_answer_the_send_is_indeterminate_and_stored_so(
    hasty: MemoryNode, network: MemoryNetwork
) -> None:
    session = await hasty.working(NUMBER)
    network.hold_next(NUMBER)
    error = await refused(send(hasty, session, "hello"))
    assert (error.code, error.details) == (Code.TIMEOUT, {"outcome": "indeterminate"})
    (stored,) = await hasty.stored(session, ADA)
    assert (stored.wa_message_id, stored.ack_level, stored.error) == (None, 0, "indeterminate")
    assert stored.body == "hello"


async def test_an_indeterminate_send_is_never_sent_again(hasty: MemoryNode, network: MemoryNetwork) -> None:
    session = await hasty.working(NUMBER)
    network.hold_next(NUMBER)
    await refused(send(hasty, session, "hello"))
    # the client is replaced over it, and the session works again
    await until(lambda: len(network.clients) == 2, "a new client")
    await hasty.status_is(session.id, Status.WORKING)
    await hasty.send(session, ADA, "another")
    assert [heard.text for heard in network.account(ADA).heard] == ["another"]
    errors = {message.body: message.error for message in await hasty.stored(session, ADA)}
    assert errors == {"hello": "indeterminate", "another": None}


@pytest.mark.parametrize("answer", ["accepted", "refused"])
async def test_a_late_answer_settles_an_indeterminate_send(
    hasty: MemoryNode, network: MemoryNetwork, answer: str
) -> None:
    # given a send without an answer on a client that is not replaced yet
    network.stops_may_end.clear()
    session = await hasty.working(NUMBER)
    held = network.hold_next(NUMBER)
    await refused(send(hasty, session, "hello"))
    # when the answer comes after all
    if answer == "accepted":
        held.accept()
    else:
        held.refuse(Refusal.OVER_LIMIT)

    async def settled() -> bool:
        return (await hasty.stored(session, ADA))[0].error != "indeterminate"

    # then the stored message says so
    await until_async(settled, "the message is settled")
    network.stops_may_end.set()
    (stored,) = await hasty.stored(session, ADA)
    if answer == "accepted":
        (heard,) = network.account(ADA).heard
        assert (stored.wa_message_id, stored.ack_level, stored.error) == (heard.id, 1, None)
    else:
        assert (stored.wa_message_id, stored.ack_level, stored.error) == (None, -1, "over_limit")


async def test_a_connection_that_breaks_mid_send_leaves_it_indeterminate(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    held = network.hold_next(NUMBER)
    sending = send(node, session, "hello")
    await held.reached.wait()
    network.drop(NUMBER)
    error = await refused(sending)
    assert (error.code, error.details) == (Code.TIMEOUT, {"outcome": "indeterminate"})
    (stored,) = await node.stored(session, ADA)
    assert stored.error == "indeterminate"


async def test_stopping_a_session_answers_its_sends(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    held = network.hold_next(NUMBER)
    sending = send(node, session, "hello")
    await held.reached.wait()
    await node.sessions.stop(session)
    assert (await refused(sending)).details == {"outcome": "indeterminate"}


async def test_a_send_whose_turn_never_came_was_not_sent(hasty: MemoryNode, network: MemoryNetwork) -> None:
    # given as many sends without an answer as WhatsApp is handed at a time
    session = await hasty.working(NUMBER)
    held = [network.hold_next(NUMBER) for _ in range(4)]
    sends = [send(hasty, session, f"text {number}") for number in range(5)]
    errors = [await refused(sending) for sending in sends]
    # then the one behind them says that it was not sent, and is not stored
    assert [error.details["outcome"] for error in errors] == ["indeterminate"] * 4 + ["not_sent"]
    assert errors[4].code is Code.TIMEOUT
    assert errors[4].retry_after is not None
    assert all(one.reached.is_set() for one in held)
    assert "text 4" not in {message.body for message in await hasty.stored(session, ADA)}


async def test_a_caller_who_goes_away_does_not_keep_the_send_from_being_stored(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    held = network.hold_next(NUMBER)
    sending = send(node, session, "hello")
    await held.reached.wait()
    sending.cancel()
    await asyncio.wait({sending})
    held.accept()
    assert await node.bodies(session, ADA, 1) == ["hello"]
    (stored,) = await node.stored(session, ADA)
    assert stored.wa_message_id == network.account(ADA).heard[0].id


async def test_a_node_that_stops_first_records_the_sends_under_way(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network) as node:
        session = await node.working(NUMBER)
        held = network.hold_next(NUMBER)
        sending = send(node, session, "hello")
        await held.reached.wait()
        closing = asyncio.create_task(node.sending.close())
        held.accept()
        await closing
        assert sending.done() or await sending
        assert [message.body for message in await node.stored(session, ADA)] == ["hello"]


async def test_a_node_does_not_wait_for_answers_that_may_never_come(
    hasty: MemoryNode, network: MemoryNetwork
) -> None:
    network.stops_may_end.clear()
    session = await hasty.working(NUMBER)
    network.hold_next(NUMBER)
    await refused(send(hasty, session, "hello"))
    async with asyncio.timeout(5):
        await hasty.sending.close()
    network.stops_may_end.set()
    (stored,) = await hasty.stored(session, ADA)
    assert stored.error == "indeterminate"


class FailingOutcomes(OutcomeRepository):
    """A store whose disk is full."""

    async def record(self, outcome: Outcome, *, company: bool = False) -> int | None:  # noqa: ARG002 - the store's
        raise OSError(f"the disk is full: {type(outcome).__name__}")


def sending_into_a_full_disk(node: MemoryNode) -> Sending:
    parts = node.gateway
    return Sending(parts.sessions, parts.delivery, parts.ledger, FailingOutcomes(node.database))


async def test_a_sent_message_that_cannot_be_recorded_is_told_as_sent(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    sending = sending_into_a_full_disk(node)
    with pytest.raises(WagateError) as caught:
        await sending.send(session, Draft(str(network.account(ADA).jid), "text", "hello"))
    assert caught.value.code is Code.INTERNAL
    (heard,) = network.account(ADA).heard
    assert caught.value.details == {"outcome": "sent", "waMessageId": heard.id}


async def test_an_indeterminate_send_that_cannot_be_recorded_is_still_told_as_such(
    hasty: MemoryNode, network: MemoryNetwork
) -> None:
    session = await hasty.working(NUMBER)
    network.hold_next(NUMBER)
    sending = sending_into_a_full_disk(hasty)
    with pytest.raises(WagateError) as caught:
        await sending.send(session, Draft(str(network.account(ADA).jid), "text", "hello"))
    assert (caught.value.code, caught.value.details) == (Code.TIMEOUT, {"outcome": "indeterminate"})
