"""Calls of one client: a few at a time, each with an end for its caller."""

import asyncio
import gc

import pytest

from server.whatsapp.turns import TurnMissedError, Turns, UnansweredError
from tests.support.waiting import one_turn


async def answer(value: int, when: asyncio.Event | None = None) -> int:
    if when is not None:
        await when.wait()
    return value


async def fail(when: asyncio.Event) -> int:
    await when.wait()
    raise ValueError("no")


async def test_a_call_answers() -> None:
    assert await Turns(1).run(answer(7), within=5, name="call") == 7


async def test_a_call_that_goes_on_keeps_its_place_and_can_be_awaited() -> None:
    turns, go = Turns(1), asyncio.Event()
    with pytest.raises(UnansweredError) as unanswered:
        await turns.run(answer(7, go), within=0.01, name="call")
    with pytest.raises(TurnMissedError):
        await turns.run(answer(8), within=0.01, name="call")
    go.set()
    assert await unanswered.value.late == 7
    assert await turns.run(answer(9), within=5, name="call") == 9


async def test_turns_come_in_the_order_of_asking() -> None:
    turns, go, order = Turns(1), asyncio.Event(), list[int]()

    async def note(number: int) -> None:
        await go.wait()
        order.append(number)

    calls = [asyncio.create_task(turns.run(note(number), within=5, name="call")) for number in range(5)]
    await one_turn()
    go.set()
    await asyncio.gather(*calls)
    assert order == [0, 1, 2, 3, 4]


async def test_a_caller_who_gives_up_leaves_the_call_alone() -> None:
    turns, go, done = Turns(1), asyncio.Event(), list[int]()

    async def note() -> None:
        await go.wait()
        done.append(1)

    caller = asyncio.create_task(turns.run(note(), within=5, name="call"))
    for _ in range(3):
        await one_turn()
    caller.cancel()
    await asyncio.wait({caller})
    go.set()
    assert await turns.run(answer(9), within=5, name="call") == 9
    assert done == [1]


async def test_a_caller_who_gives_up_waiting_takes_no_place() -> None:
    turns, go = Turns(1), asyncio.Event()
    first = asyncio.create_task(turns.run(answer(1, go), within=5, name="call"))
    await one_turn()
    second = asyncio.create_task(turns.run(answer(2), within=5, name="call"))
    await one_turn()
    second.cancel()
    await asyncio.wait({second})
    go.set()
    assert await first == 1
    assert await turns.run(answer(3), within=5, name="call") == 3


async def test_a_late_failure_that_nobody_waits_for_is_no_loose_end() -> None:
    turns, go, loose = Turns(1), asyncio.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: loose.append(context))
    with pytest.raises(UnansweredError):
        await turns.run(fail(go), within=0.01, name="call")
    go.set()
    assert await turns.run(answer(3), within=5, name="call") == 3
    gc.collect()
    assert loose == []
