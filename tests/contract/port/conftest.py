"""The world that the suite runs in: memory, unless the environment names a sandbox."""

import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from server.whatsapp.port import Client, Connected, Event, Identity, Paired, QRCode
from tests.contract.port.memory_world import MemoryWorld
from tests.contract.port.world import World
from tests.support.waiting import until_async

SANDBOX = "WAGATE_CONTRACT_SANDBOX"
DEADLINE = 30.0
"""Seconds for anything on the wire to come true."""

_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wire_world() -> AsyncIterator[World | None]:
    """The one world on the wire: a process has one gate to the library, and one event loop."""
    if SANDBOX not in os.environ:
        yield None
        return
    from tests.contract.port.wire_world import WireWorld  # noqa: PLC0415 - importing it loads neonize

    wire_world = WireWorld()
    yield wire_world
    await wire_world.close()


@pytest_asyncio.fixture
async def world(wire_world: World | None) -> AsyncIterator[World]:
    if wire_world is None:
        yield MemoryWorld()
        return
    yield wire_world
    await wire_world.heal()


@pytest.fixture
def new_number() -> Callable[[], str]:
    """Gives a number that no other test has."""
    return lambda: f"62811{next(_numbers):07d}"


@pytest.fixture
def number(new_number: Callable[[], str]) -> str:
    """The number of the account whose client is under test."""
    return new_number()


@pytest.fixture
def ada(new_number: Callable[[], str]) -> str:
    """The number of somebody else."""
    return new_number()


class Following:
    """A client whose events are kept as they are taken."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self.ended = False

    async def take(self) -> None:
        """Takes what is there, or waits for it."""
        taken = await self.client.events()
        self.events += taken
        self.ended = not taken

    async def wait_for(self, kind: type[Event], count: int = 1) -> None:
        """Takes events until there are so many of a kind."""

        async def enough() -> bool:
            if sum(isinstance(event, kind) for event in self.events) >= count:
                return True
            assert not self.ended, f"no {kind.__name__} before the end: {self.events}"
            await self.take()
            return False

        await until_async(enough, f"{count} of {kind.__name__}", within=DEADLINE)


Follow = Callable[[Path], Following]


@pytest_asyncio.fixture
async def follow(world: World) -> AsyncIterator[Follow]:
    """Opens clients; they are stopped when the test ends."""
    opened: list[Following] = []

    def open_client(device: Path) -> Following:
        following = Following(world.clients.open(f"session{len(opened)}", device))
        opened.append(following)
        return following

    yield open_client
    for following in opened:
        await following.client.stop()


@pytest_asyncio.fixture
async def device(world: World, number: str, tmp_path: Path) -> Path:
    """The folder of a device that is linked to `number`."""
    folder = tmp_path / "device"
    folder.mkdir()
    attempt = await world.pairing.begin("pairing", folder)
    try:
        code = await attempt.next()
        assert isinstance(code, QRCode)
        await world.scan(code.code, number)
        paired = await attempt.next()
        assert isinstance(paired, Paired)
    finally:
        await attempt.stop()
    return folder


@pytest_asyncio.fixture
async def live(follow: Follow, device: Path) -> Following:
    """A connected client of `number`."""
    following = follow(device)
    identity = await following.client.connect()
    assert isinstance(identity, Identity)
    await following.wait_for(Connected)
    return following
