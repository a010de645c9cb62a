"""What a session was given before its node died, and what becomes of it afterwards."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.sessions import inbox
from server.store.records import Session
from server.whatsapp.incoming import Received, Repeated
from server.whatsapp.memory import MemoryClient, MemoryClients, MemoryNetwork
from server.whatsapp.port import Incoming
from tests.support.memory_node import MemoryNode
from tests.support.waiting import until, until_async

NUMBER = "628110000001"
ADA = "628120000001"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "GATHER_SECONDS", 0.0)


async def given_to_nobody(network: MemoryNetwork, device: Path) -> Received:
    """Lets a client take one message of the session and end before anything is stored."""
    client = MemoryClients(network).open("earlier", device)
    await client.connect()
    while True:
        for event in await client.events():
            if isinstance(event, Received):
                await client.stop()
                return event


async def _reads(node: MemoryNode, session: Session, text: str) -> bool:
    return await node.bodies(session, ADA, 1) == [text]


async def test_what_was_decrypted_and_not_stored_is_asked_for(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    session = await node.working(NUMBER)
    await node.sessions.stop(await node.record(session.id))
    network.write(ADA, NUMBER, "precious")
    lost = await given_to_nobody(network, node.settings.devices_dir / session.id)
    await node.sessions.start(await node.record(session.id))
    await until_async(lambda: _reads(node, session, "precious"), "the message is there")
    (message,) = await node.stored(session, ADA)
    assert (message.wa_message_id, message.type) == (lost.id, "text")


async def test_what_was_stored_and_not_confirmed_is_confirmed(
    node: MemoryNode, network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sessions.inbox.DRAIN_SECONDS", 0.05)
    # Given a node that is killed between the commit and the confirmation
    session = await node.working(NUMBER)
    stored = asyncio.Event()
    ordinary = node.ingest.ordinary

    async def then_dies(record: Session, received: Sequence[Incoming]) -> Sequence[Repeated]:
        await ordinary(record, received)
        if any(isinstance(event, Received) for event in received):
            stored.set()
            await asyncio.Event().wait()
        return ()

    node.use_ingest(session, then_dies)
    network.write(ADA, NUMBER, "once")
    await stored.wait()
    await node.sessions.stop(await node.record(session.id))
    account = network.account(NUMBER)
    assert [event.id for event in account.unconfirmed if isinstance(event, Received)]
    # When the next one connects
    node.use_ingest(session, ordinary)
    await node.sessions.start(await node.record(session.id))

    def confirmed() -> bool:
        client = network.clients[-1]
        return bool(account.repeated) and isinstance(client, MemoryClient) and not client.given

    await until(confirmed, "everything is confirmed")
    # Then nothing is asked for, and it is there once
    await node.sessions.stop(await node.record(session.id))
    assert account.unconfirmed == []
    assert await node.bodies(session, ADA, 1) == ["once"]
