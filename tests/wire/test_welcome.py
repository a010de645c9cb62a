"""`wagate up --sandbox` puts somebody on a network that is new, and nobody on one that is not."""

import urllib.parse

from server.supervisor.edge import Address
from server.supervisor.welcome import NAME, NUMBER, welcome
from tests.wire.sandbox_process import SandboxProcess


def address(network: SandboxProcess) -> Address:
    parts = urllib.parse.urlsplit(network.url)
    assert parts.hostname
    assert parts.port
    return Address(parts.hostname, parts.port)


async def test_a_new_network_gets_a_person_once(sandbox: SandboxProcess) -> None:
    assert await sandbox.ok("GET", "/contacts") == []
    await welcome(address(sandbox))
    (there,) = await sandbox.ok("GET", "/contacts")
    assert (there["name"], there["number"], there["kind"]) == (NAME, NUMBER, "person")
    # and again, as after a restart, with somebody else there as well
    await sandbox.ok("PUT", "/contacts/628120000055", {"name": "Ben", "kind": "sink"})
    await welcome(address(sandbox))
    assert len(await sandbox.ok("GET", "/contacts")) == 2


async def test_a_network_that_is_away_gets_nobody(sandbox: SandboxProcess) -> None:
    before = await sandbox.ok("GET", "/contacts")
    await welcome(Address("127.0.0.1", 1))
    assert await sandbox.ok("GET", "/contacts") == before
