"""A connection that seems to stand and is dead: it is noticed, replaced, and told of meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.sessions.liveness import Liveness
from server.sessions.state import Status
from server.whatsapp.memory import MemoryClient, MemoryNetwork
from server.whatsapp.port import ConnectError, Ending
from server.whatsapp.signs import Signs
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until, until_async

NUMBER, ADA = "628110000001", "628120000001"
IDLE = 100.0


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("server.sessions.liveness.elapsed_seconds", clock)
    monkeypatch.setattr("server.whatsapp.signs.elapsed_seconds", clock)
    return clock


@pytest_asyncio.fixture
async def client(clock: Clock, network: MemoryNetwork, tmp_path: Path) -> AsyncIterator[MemoryClient]:
    """A connection that was made now."""
    assert clock.now
    network.link(NUMBER, tmp_path)
    client = MemoryClient(network, tmp_path)
    await client.connect()
    await client.events()
    yield client
    await client.stop()


async def answered(liveness: Liveness, network: MemoryNetwork, count: int) -> None:
    """Waits until so many probes were asked, and the last one's answer was looked at."""
    await until(lambda: len(network.asked) == count, f"{count} probes")

    async def seen() -> bool:
        await liveness.check(is_live=True)
        return liveness.look_after > 1

    await until_async(seen, "its answer is seen")


async def test_a_quiet_connection_is_asked_again_and_again(
    client: MemoryClient, network: MemoryNetwork, clock: Clock
) -> None:
    liveness = Liveness(client, idle=IDLE)
    for count in range(1, 4):
        assert IDLE * 0.75 <= liveness.look_after <= IDLE * 1.25
        clock.now += IDLE * 0.7
        await liveness.check(is_live=True)
        assert len(network.asked) == count - 1
        clock.now += IDLE * 0.6
        assert liveness.look_after == 0
        await liveness.check(is_live=True)
        await answered(liveness, network, count)
        assert client.signs.proved == clock.now


async def test_whatever_is_answered_puts_the_next_probe_off(
    client: MemoryClient, network: MemoryNetwork, clock: Clock
) -> None:
    liveness = Liveness(client, idle=IDLE)
    for _ in range(10):
        clock.now += IDLE * 0.5
        client.signs.acknowledge()
        clock.now += IDLE * 0.2
        await liveness.check(is_live=True)
    assert network.asked == []
    # What comes in unasked says nothing about the way to WhatsApp.
    clock.now += IDLE * 1.3
    client.signs.receive()
    await liveness.check(is_live=True)
    await answered(liveness, network, 1)


async def test_a_doubt_is_settled_at_once(client: MemoryClient, network: MemoryNetwork, clock: Clock) -> None:
    liveness = Liveness(client, idle=IDLE)
    clock.now += 1
    liveness.doubt()
    assert liveness.look_after == 0
    await liveness.check(is_live=True)
    await answered(liveness, network, 1)
    # and it is settled
    clock.now += 1
    await liveness.check(is_live=True)
    assert network.asked == [NUMBER]


async def test_no_answer_is_the_end_of_the_connection(
    client: MemoryClient, network: MemoryNetwork, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sessions.liveness.PROBE_SECONDS", 0.01)
    network.account(NUMBER).answers = False
    liveness = Liveness(client, idle=IDLE)
    clock.now += IDLE * 2
    await liveness.check(is_live=True)
    with pytest.raises(ConnectError, match="dead"):
        await answered(liveness, network, 1)
    assert client.signs.kept_alive_at is None


async def test_a_connection_that_is_away_is_not_asked(
    client: MemoryClient, network: MemoryNetwork, clock: Clock
) -> None:
    # given a probe that is under way when the connection is lost
    network.account(NUMBER).answers = False
    liveness = Liveness(client, idle=IDLE)
    liveness.doubt()
    await liveness.check(is_live=True)
    assert liveness.look_after == 1
    # then nobody waits for its answer, and none is sent
    await liveness.check(is_live=False)
    clock.now += IDLE * 2
    await liveness.check(is_live=False)
    assert len(network.asked) <= 1
    # and once it is back it has its time
    assert liveness.look_after >= IDLE * 0.75


def test_the_signs_of_an_earlier_connection_stay() -> None:
    earlier = Signs(acked_at=1, received_at=2, kept_alive_at=3, proved=9.0)
    now = Signs(acked_at=5, proved=4.0)
    assert now.behind(earlier) == Signs(acked_at=5, received_at=2, kept_alive_at=3, proved=9.0)
    now.note_kept_alive(7)
    now.note_kept_alive(6)
    assert now.kept_alive_at == 7


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's waits, shortened."""
    monkeypatch.setattr("server.sessions.backoff.FIRST_SECONDS", 0.01)
    monkeypatch.setattr("server.sessions.backoff.CAP_SECONDS", 0.02)
    monkeypatch.setattr("server.sessions.liveness.LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_dead_connection_is_replaced_without_a_code(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network, probe_seconds=0.1) as node:
        session = await node.working(NUMBER)
        # given a connection that stands and does not answer
        network.account(NUMBER).answers = False
        await until(lambda: len(network.clients) >= 2, "it is replaced")
        assert network.clients[0].is_stopped
        # when there are answers again, then it works by itself
        network.account(NUMBER).answers = True
        await node.status_is(session.id, Status.WORKING)
        health = await node.sessions.health(session)
        assert health.reconnects >= 1
        assert network.attempts == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answers", [True, False])
async def test_a_missed_keep_alive_is_looked_into(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    if not answers:
        monkeypatch.setattr("server.sessions.liveness.PROBE_SECONDS", 0.05)
    session = await node.working(NUMBER)
    network.account(NUMBER).answers = answers
    network.miss_keep_alive(NUMBER)
    await until(lambda: network.asked == [NUMBER], "it is asked at once")
    if answers:

        async def noted() -> bool:
            return (await node.sessions.health(session)).kept_alive_at is not None

        await until_async(noted, "the answer is noted")
        assert len(network.clients) == 1
    else:
        await until(lambda: len(network.clients) == 2, "it is replaced")
        await node.status_is(session.id, Status.WORKING)
        assert network.clients[0].is_stopped


async def test_health_tells_what_was_seen_of_a_connection(node: MemoryNode, network: MemoryNetwork) -> None:
    # given a session that has just connected
    session = await node.working(NUMBER)
    before = await node.sessions.health(session)
    assert (before.view.status, before.view.gateway_id) == (Status.WORKING, "node-1")
    assert (before.acked_at, before.received_at, before.kept_alive_at) == (None, None, None)
    assert (before.reconnects, before.reason, before.message) == (0, None, None)
    assert before.since is not None
    # when it sends and receives
    await node.send(session, ADA, "hello")
    network.write(ADA, NUMBER, "hello yourself")
    await node.bodies(session, ADA, 2)
    # then that is seen, also when its connection was lost since
    network.drop(NUMBER)
    await node.status_is(session.id, Status.STARTING)
    network.restore(NUMBER)

    async def again() -> bool:
        return (await node.sessions.health(session)).reconnects == 1

    await until_async(again, "it has connected again")
    after = await node.sessions.health(session)
    assert after.acked_at is not None
    assert after.received_at is not None
    assert after.since is not None
    assert after.since >= after.acked_at >= before.since


async def test_health_says_who_must_act(node: MemoryNode, network: MemoryNetwork) -> None:
    session = await node.working(NUMBER)
    network.end(NUMBER, Ending.BANNED)
    await node.status_is(session.id, Status.FAILED)
    health = await node.sessions.health(await node.record(session.id))
    assert health.reason == "banned"
    assert "waits, or appeals" in str(health.message)
    waiting = await node.create(start=True)
    await node.status_is(waiting.id, Status.SCAN_QR_CODE)
    assert "scans it" in str((await node.sessions.health(waiting)).message)
    idle = await node.create()
    health = await node.sessions.health(idle)
    assert (health.view.status, health.message, health.since) == (Status.STOPPED, None, None)
