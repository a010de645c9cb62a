"""The gate in front of the library: who may be inside together."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from server.whatsapp.threads import ENTRY_SECONDS, ClientGoneError, LibraryGate, uninterrupted
from tests.support.waiting import one_turn, until


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[LibraryGate]:
    gate = LibraryGate()
    yield gate
    gate.close()


def always() -> bool:
    return True


class Maps:
    """Stands for the library's maps: notices who touches them at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._writers = 0
        self.reads = 0
        self.writes = 0
        self.clashes: list[str] = []

    def read(self) -> None:
        with self._lock:
            self._readers += 1
            self.reads += 1
            if self._writers:
                self.clashes.append("a reader entered beside a writer")
        threading.Event().wait(0.0005)
        with self._lock:
            self._readers -= 1

    def write(self) -> None:
        with self._lock:
            self._writers += 1
            self.writes += 1
            if self._writers > 1:
                self.clashes.append("two writers")
            if self._readers:
                self.clashes.append("a writer entered beside a reader")
        threading.Event().wait(0.002)
        with self._lock:
            self._writers -= 1


async def test_a_call_gives_its_result_and_its_error(gate: LibraryGate) -> None:
    assert await gate.call(lambda: 7, always) == 7
    with pytest.raises(ZeroDivisionError):
        await gate.call(lambda: 1 // 0, always)


async def test_calls_run_beside_each_other(gate: LibraryGate) -> None:
    together = threading.Barrier(8)
    await asyncio.gather(*(gate.call(lambda: together.wait(10), always) for _ in range(8)))


async def test_readers_and_writers_never_meet_and_writers_take_turns(gate: LibraryGate) -> None:
    maps = Maps()

    async def write() -> None:
        async with gate.writing():
            await gate.write(maps.write)

    async def read() -> None:
        for _ in range(20):
            await gate.call(maps.read, always)

    await asyncio.gather(*(read() for _ in range(8)), *(write() for _ in range(10)))
    assert maps.clashes == []
    assert (maps.reads, maps.writes) == (160, 10)


async def test_a_writer_does_not_wait_for_a_call_that_only_waits(gate: LibraryGate) -> None:
    # given a call that has read the maps long ago and waits for WhatsApp
    inside, answer = threading.Event(), threading.Event()

    def send() -> str:
        inside.set()
        answer.wait(30)
        return "sent"

    sending = asyncio.create_task(gate.call(send, always))
    await asyncio.to_thread(inside.wait, 10)
    # when somebody connects
    async with asyncio.timeout(ENTRY_SECONDS + 5), gate.writing():
        # then it is let in although the call has not ended
        assert not sending.done()
    answer.set()
    assert await sending == "sent"


async def test_calls_wait_while_a_writer_is_inside(gate: LibraryGate) -> None:
    order: list[str] = []
    async with gate.writing():
        reading = asyncio.create_task(gate.call(lambda: order.append("read"), always))
        await one_turn()
        await gate.write(lambda: order.append("written"))
        assert not reading.done()
    await reading
    assert order == ["written", "read"]


async def test_a_connect_that_waits_for_the_network_lets_calls_in_after_its_limit(gate: LibraryGate) -> None:
    async with gate.writing(limit=0.01):
        async with asyncio.timeout(10):
            assert await gate.call(lambda: "in", always) == "in"
        # but no other connect or stop
        other = asyncio.create_task(_write(gate))
        await gate.call(lambda: None, always)
        assert not other.done()
    await other


async def _write(gate: LibraryGate) -> None:
    async with gate.writing():
        await gate.write(lambda: None)


async def test_a_limit_that_was_not_reached_opens_nothing_later(gate: LibraryGate) -> None:
    async with gate.writing(limit=0.02):
        pass
    async with gate.writing():
        reading = asyncio.create_task(gate.call(lambda: "in", always))
        # longer than the first writer's limit: its timer must be gone
        await asyncio.wait({reading}, timeout=0.06)
        assert not reading.done()
    assert await reading == "in"


async def test_whether_the_client_lives_is_asked_after_the_wait(gate: LibraryGate) -> None:
    # given a client that is stopped while a call for it waits to enter
    alive = True
    entered = threading.Event()
    async with gate.writing():
        calling = asyncio.create_task(gate.call(entered.set, lambda: alive))
        await one_turn()
        alive = False
    # then the call never enters
    with pytest.raises(ClientGoneError):
        await calling
    assert not entered.is_set()


async def test_a_cancelled_call_goes_on_inside_and_is_still_waited_for(gate: LibraryGate) -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        inside.set()
        leave.wait(30)

    calling = asyncio.create_task(gate.call(work, always))
    await asyncio.to_thread(inside.wait, 10)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert gate.inside == 1
    leave.set()
    await until(lambda: gate.inside == 0, "the call has left")


async def test_a_writer_that_is_cancelled_while_it_waits_keeps_nobody_out(gate: LibraryGate) -> None:
    async with gate.writing():
        waiting = asyncio.create_task(_write(gate))
        await one_turn()
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(10):
        assert await gate.call(lambda: "in", always) == "in"
        await _write(gate)


async def test_a_writer_that_fails_keeps_nobody_out(gate: LibraryGate) -> None:
    with pytest.raises(ZeroDivisionError):
        async with gate.writing():
            await gate.write(lambda: 1 // 0)
    async with asyncio.timeout(10):
        await _write(gate)
        assert await gate.call(lambda: "in", always) == "in"


async def test_calls_that_never_end_do_not_keep_writers_waiting() -> None:
    # given a gate all of whose threads wait for WhatsApp, and further calls behind them
    gate = LibraryGate(threads=2)
    answer = threading.Event()
    calls = [asyncio.create_task(gate.call(lambda: answer.wait(30), always)) for _ in range(5)]
    await until(lambda: gate.inside == 2, "both threads are taken")
    # when a session is stopped, then it need not wait for them
    async with asyncio.timeout(5):
        await _write(gate)
    answer.set()
    assert all(await asyncio.gather(*calls))
    gate.close()


async def test_a_parked_session_gives_its_end(gate: LibraryGate) -> None:
    leave = threading.Event()
    parked = asyncio.wrap_future(gate.park(lambda: leave.wait(30)))
    failed = asyncio.wrap_future(gate.park(lambda: 1 // 0))
    with pytest.raises(ZeroDivisionError):
        await failed
    assert not parked.done()
    leave.set()
    assert await parked is True


async def test_parked_sessions_take_no_call_its_thread(gate: LibraryGate) -> None:
    leave = threading.Event()
    parked = [asyncio.wrap_future(gate.park(lambda: leave.wait(30))) for _ in range(40)]
    async with asyncio.timeout(10):
        assert await gate.call(lambda: "in", always) == "in"
    leave.set()
    await asyncio.gather(*parked)


async def test_uninterrupted_work_ends_before_its_cancelled_caller() -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        ended.set()

    calling = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    for _ in range(3):
        calling.cancel()
        await one_turn()
    assert not calling.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert ended.is_set()


async def test_uninterrupted_work_gives_its_result_and_its_error() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    async def gives() -> int:
        return 7

    assert await uninterrupted(gives()) == 7
    with pytest.raises(ZeroDivisionError):
        await uninterrupted(fails())


async def test_a_cancelled_caller_hears_of_its_cancellation_not_of_the_failure() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        raise ZeroDivisionError

    calling = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    calling.cancel()
    await one_turn()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
