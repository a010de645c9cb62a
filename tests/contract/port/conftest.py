"""The world that the suite runs in: memory, unless the environment names a sandbox."""

import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from server.whatsapp.pairing_port import Paired, QRCode
from server.whatsapp.port import Connected
from tests.contract.port.following import Following
from tests.contract.port.memory_world import MemoryWorld
from tests.contract.port.pair import Pair
from tests.contract.port.world import World

SANDBOX = "WAGATE_CONTRACT_SANDBOX"

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


def new_folder(path: Path) -> Path:
    """Makes a folder."""
    path.mkdir()
    return path


async def link(world: World, number: str, folder: Path) -> None:
    """Links a device to `number`; its keys go into the empty folder."""
    attempt = await world.pairing.begin("pairing", folder)
    try:
        code = await attempt.next()
        assert isinstance(code, QRCode)
        await world.scan(code.code, number)
        paired = await attempt.next()
        assert isinstance(paired, Paired)
    finally:
        await attempt.stop()


async def login(following: Following) -> Following:
    """Connects a client and waits for its login."""
    following.identity = await following.client.connect()
    await following.wait_for(Connected)
    return following


@pytest_asyncio.fixture
async def device(world: World, number: str, tmp_path: Path) -> Path:
    """The folder of a device that is linked to `number`."""
    folder = new_folder(tmp_path / "device")
    await link(world, number, folder)
    return folder


@pytest_asyncio.fixture
async def live(follow: Follow, device: Path) -> Following:
    """A connected client of `number`."""
    return await login(follow(device))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept(wire_world: World | None) -> AsyncIterator[list[Pair]]:  # noqa: ARG001 - closed after this
    """The one pair on the wire: linking takes seconds there, and most tests have no business with it."""
    pairs: list[Pair] = []
    yield pairs
    for pair in pairs:
        await pair.close()


@pytest_asyncio.fixture
async def pair(
    world: World,
    wire_world: World | None,
    kept: list[Pair],
    new_number: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    """Two connected people: our account, and one who reads what it sends."""
    if kept:
        kept[0].begin()
        return kept[0]
    folder = tmp_path_factory.mktemp("pair")
    both = []
    for name in ("live", "reader"):
        await link(world, new_number(), new_folder(folder / name))
        both.append(await login(Following(world.clients.open(name, folder / name))))
    pair = Pair(world, *both)
    if wire_world is not None:
        kept.append(pair)
    return pair
