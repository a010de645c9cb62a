"""What clients send and receive."""

import asyncio
import time
from collections.abc import Callable

import pytest

from server.whatsapp.content import Text
from server.whatsapp.incoming import Received
from server.whatsapp.port import OutcomeUnknownError, RefusedError, Stalled
from server.whatsapp.refusals import Refusal
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.world import World
from tests.support.waiting import one_turn, until_async

TEXTS = {
    "plain": "hello",
    "emoji": "👩‍👩‍👧‍👦 😀",
    "right to left": "שלום مرحبا",
    "lines": "a\n\tb\r\n",
    "long": "x😀" * 30_000,
}


async def heard(world: World, person: str, count: int) -> list[tuple[str, str]]:
    """Waits until a person has read so many messages."""

    async def enough() -> bool:
        return len(await world.heard(person)) >= count

    await until_async(enough, f"{person} has read {count} messages", within=DEADLINE)
    return await world.heard(person)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_a_text_arrives_under_the_id_that_was_given(
    world: World, live: Following, ada: str, text: str
) -> None:
    sent = await live.client.send(await world.person(ada), Text(text), within=20)
    assert await heard(world, ada, 1) == [(sent.id, text)]
    assert abs(sent.timestamp - time.time() * 1000) < 60_000
    assert text.encode() in sent.content


async def test_a_text_is_received_with_both_addresses_of_its_sender(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    message_id = await world.write(ada, number, "שלום 😀")
    await live.wait_for(Received)
    (received,) = (event for event in live.events if isinstance(event, Received))
    assert (received.id, received.type, received.body) == (message_id, "text", "שלום 😀")
    assert not received.from_me
    assert person in (received.chat, received.chat_alternative)
    assert person in (received.sender, received.sender_alternative)
    assert received.chat == received.sender
    assert abs(received.timestamp - time.time() * 1000) < 60_000
    assert "שלום 😀".encode() in received.content


async def test_texts_are_received_in_the_order_in_which_they_were_written(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    await world.person(ada)
    texts = [f"text {count}" for count in range(20)]
    ids = [await world.write(ada, number, text) for text in texts]
    await live.wait_for(Received, len(texts))
    received = [event for event in live.events if isinstance(event, Received)]
    assert [(event.id, event.body) for event in received] == list(zip(ids, texts, strict=True))


async def test_giving_up_waiting_for_events_loses_none(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    await world.person(ada)
    texts = [f"text {count}" for count in range(10)]

    async def write() -> None:
        for text in texts:
            await world.write(ada, number, text)

    writing = asyncio.create_task(write())
    bodies: list[str] = []

    async def all_there() -> bool:
        try:
            async with asyncio.timeout(0.001):
                bodies.extend(e.body for e in await live.client.events() if isinstance(e, Received))
        except TimeoutError:
            pass
        return len(bodies) >= len(texts)

    await until_async(all_there, "all texts", within=DEADLINE)
    await writing
    assert bodies == texts


async def test_sends_may_overlap_and_each_arrives_once(world: World, live: Following, ada: str) -> None:
    person = await world.person(ada)
    texts = [f"text {count}" for count in range(20)]
    sent = await asyncio.gather(*(live.client.send(person, Text(text), within=30) for text in texts))
    arrived = await heard(world, ada, len(texts))
    assert sorted(arrived) == sorted((one.id, text) for one, text in zip(sent, texts, strict=True))


async def test_a_send_whose_caller_gave_up_arrives_all_the_same(
    world: World, live: Following, ada: str
) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("first"), within=20)
    sending = asyncio.create_task(live.client.send(person, Text("second"), within=20))
    for _ in range(3):
        await one_turn()
    sending.cancel()
    await asyncio.wait({sending})
    await live.client.send(person, Text("third"), within=20)
    assert {text for _, text in await heard(world, ada, 3)} == {"first", "second", "third"}


async def test_somebody_who_is_not_there_is_told(live: Following, new_number: Callable[[], str]) -> None:
    from server.whatsapp.jid import Jid  # noqa: PLC0415 - only this test makes up an address

    with pytest.raises(RefusedError) as caught:
        await live.client.send(Jid(new_number(), "s.whatsapp.net"), Text("hello"), within=20)
    assert caught.value.refusal is Refusal.NOT_ON_WHATSAPP


async def test_a_refusal_of_the_network_is_told_and_only_once(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await world.refuse_next_send(number)
    with pytest.raises(RefusedError) as caught:
        await live.client.send(person, Text("refused"), within=20)
    assert caught.value.refusal is Refusal.REACH_OUT_TIMELOCK
    await live.client.send(person, Text("taken"), within=20)
    assert [text for _, text in await heard(world, ada, 1)] == ["taken"]


async def test_silence_is_an_unknown_outcome_and_the_client_stalls(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("before"), within=20)
    await world.silence(number)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknownError) as caught:
        await live.client.send(person, Text("into silence"), within=0.5)
    assert 0.4 < time.monotonic() - began < 10
    assert caught.value.late is not None
    await live.wait_for(Stalled)
    # and stopping it is an answer of its own: nobody waits for ever
    await live.client.stop()
    done, _ = await asyncio.wait({caught.value.late}, timeout=DEADLINE)
    assert done


async def test_a_send_whose_turn_does_not_come_was_not_sent(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("before"), within=20)
    await world.silence(number)
    sends = (live.client.send(person, Text(f"text {count}"), within=0.5) for count in range(5))
    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:4]] == [OutcomeUnknownError] * 4
    assert isinstance(outcomes[4], RefusedError)
    assert outcomes[4].refusal is Refusal.BUSY


async def test_a_connection_that_breaks_mid_send_is_no_refusal(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await live.client.send(person, Text("before"), within=20)
    await world.silence(number)
    sending = asyncio.create_task(live.client.send(person, Text("lost"), within=5))
    await asyncio.wait({sending}, timeout=0.2)
    await live.client.stop()
    with pytest.raises(OutcomeUnknownError):
        await sending
