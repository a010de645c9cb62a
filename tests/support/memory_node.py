"""A node over the network in memory: everything but WhatsApp, Envoy and the process itself is real."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.auth.audit import AuditLog
from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys
from server.auth.principal import Capability, Principal
from server.auth.tickets import Tickets
from server.chats.addresses import Addresses
from server.chats.service import Chats
from server.config import Settings
from server.cursors import Cursors
from server.gateway import Gateway
from server.messages.composing import Draft
from server.messages.results import SendResult
from server.messages.sending import Sending
from server.sessions.inbox import Ingest as IngestFunction
from server.sessions.service import Sessions
from server.sessions.state import Status
from server.store.api_keys import ApiKeyRepository
from server.store.audit import AuditRepository
from server.store.conversations import ConversationRepository
from server.store.database import Database, open_database
from server.store.outbox import OutboxRepository
from server.store.records import Message, Organization, Session
from server.store.secrets import shared_secret
from server.store.sessions import SessionRepository
from server.store.tickets import TicketRepository
from server.whatsapp.incoming import Repeated
from server.whatsapp.memory import MemoryClients, MemoryNetwork, MemoryPairing
from server.whatsapp.port import Incoming
from tests.support.databases import upgraded
from tests.support.waiting import until_async

PAIRINGS: Final = 2
"""Pairing attempts that the node runs at the same time."""


@dataclass
class MemoryNode:
    """The parts of a running node, and a caller who may do everything.

    Attributes:
        principal: of the organization that sessions made here belong to.
    """

    settings: Settings
    network: MemoryNetwork
    database: Database
    gateway: Gateway
    repository: SessionRepository
    conversations: ConversationRepository
    addresses: Addresses
    ingest: "SwitchableIngest"
    sessions: Sessions
    sending: Sending
    chats: Chats
    cursors: Cursors
    keys: ApiKeys
    audit: AuditLog
    tickets: Tickets
    principal: Principal

    def use_ingest(self, session: Session, ingest: IngestFunction) -> None:
        """From now on `ingest` takes what a session receives."""
        self.ingest.special[session.id] = ingest

    async def create(
        self,
        label: str = "",
        *,
        start: bool = False,
        auto_read: bool = False,
        presence_typing: bool = False,
    ) -> Session:
        """A new session."""
        view = await self.sessions.create(
            self.principal,
            label=label,
            auto_read=auto_read,
            presence_typing=presence_typing,
            start=start,
        )
        return view.record

    async def working(
        self, number: str, *, auto_read: bool = False, presence_typing: bool = False
    ) -> Session:
        """A session whose account is `number`, paired without a phone and connected."""
        record = await self.create(auto_read=auto_read, presence_typing=presence_typing)
        self.network.link(number, self.settings.devices_dir / record.id)
        account = self.network.account(number)
        await self.repository.update(record.id, {"wa_jid": str(account.jid), "phone_number": number})
        record = await self.record(record.id)
        await self.sessions.start(record)
        await self.status_is(record.id, Status.WORKING)
        return await self.record(record.id)

    async def record(self, session_id: str) -> Session:
        """The session as the node knows it."""
        return await self.sessions.find(self.principal, session_id)

    async def status(self, session_id: str) -> Status:
        """The session's status as callers see it."""
        return (await self.sessions.view(await self.record(session_id))).status

    async def status_is(self, session_id: str, status: Status) -> None:
        """Waits until the session has a status."""

        async def has_it() -> bool:
            return await self.status(session_id) is status

        await until_async(has_it, f"session {session_id} is {status}")

    async def send(self, session: Session, number: str, text: str) -> SendResult:
        """Sends a text to a number."""
        return await self.sending.send(session, Draft(str(self.network.account(number).jid), "text", text))

    async def drained(self, session: Session) -> None:
        """Waits until nothing of a session waits in the outbox."""
        repository = OutboxRepository(self.database)

        async def nothing() -> bool:
            return session.id not in await repository.sessions_waiting()

        await until_async(nothing, f"the outbox of session {session.id} is empty")

    async def stored(self, session: Session, number: str) -> list[Message]:
        """The stored messages with a number, newest first."""
        chat = await self.conversations.find_chat(session.id, str(self.network.account(number).jid))
        if chat is None:
            return []
        return list(await self.conversations.page_messages(chat.id, before=None, limit=1000))

    async def bodies(self, session: Session, number: str, count: int) -> list[str]:
        """Waits until `count` messages with a number are stored; returns their texts, oldest first."""

        async def all_there() -> bool:
            return len(await self.stored(session, number)) >= count

        await until_async(all_there, f"{count} messages of {number} are stored")
        return [message.body for message in reversed(await self.stored(session, number))]


class SwitchableIngest:
    """Takes what sessions receive, for some of them in a special way."""

    def __init__(self, ordinary: IngestFunction) -> None:
        """Nobody is special at first."""
        self.special: dict[str, IngestFunction] = {}
        self.ordinary = ordinary

    async def __call__(self, session: Session, received: Sequence[Incoming]) -> Sequence[Repeated]:
        """See `server.sessions.inbox.Ingest`."""
        return await self.special.get(session.id, self.ordinary)(session, received)


@asynccontextmanager
async def memory_node(
    data_dir: Path,
    network: MemoryNetwork,
    *,
    send_timeout: float = 5.0,
    rate_per_min: int = 20,
    lease_seconds: float = 30.0,
    node_id: str = "node-1",
    database_url: str = "",
    probe_seconds: float = 120.0,
    webhook_allow_private: bool = False,
) -> AsyncIterator[MemoryNode]:
    """Runs a node; at the end it must have let go of everything.

    Args:
        data_dir: its data directory; a second node on the same one comes after a restart.
        network: what it connects to.
        send_timeout: seconds that a send may wait.
        rate_per_min: messages per minute that new sessions may send; 0 means any number.
        lease_seconds: how long a lease lasts unless renewed.
        node_id: its name.
        probe_seconds: after how long without an answer a connection is probed, more or less.
        database_url: of a database that it shares with others; its own in the data directory without.
        webhook_allow_private: whether receivers may be on loopback.
    """
    settings = Settings(
        data_dir=data_dir,
        send_timeout=send_timeout,
        pairings=PAIRINGS,
        rate_per_min=rate_per_min,
        rate_per_hour=600 if rate_per_min else 0,
        node_id=node_id,
        lease_seconds=lease_seconds,
        database_url=database_url,
        probe_seconds=probe_seconds,
        webhook_allow_private=webhook_allow_private,
    )
    database = open_database(settings.database)
    before = asyncio.all_tasks()
    try:
        await upgraded(database, None if database_url else settings.data_dir / "wagate.db")
        cursors = Cursors(await shared_secret(database, "cursors"))
        clients = MemoryClients(network)
        pairing = MemoryPairing(network, settings.pairings)
        switchable: list[SwitchableIngest] = []

        def around(ordinary: IngestFunction) -> IngestFunction:
            switchable.append(SwitchableIngest(ordinary))
            return switchable[0]

        gateway = Gateway(settings, database, clients, pairing, cursors=cursors, around_ingest=around)
        keys = ApiKeyRepository(database)
        organization = await keys.organization(Organization("org", "acme", 1))
        audit = AuditLog(AuditRepository(database), settings.audit_days)
        await gateway.open()
        yield MemoryNode(
            settings=settings,
            network=network,
            database=database,
            gateway=gateway,
            repository=gateway.session_records,
            conversations=gateway.conversations,
            addresses=gateway.addresses,
            ingest=switchable[0],
            sessions=gateway.sessions,
            sending=gateway.sending,
            chats=gateway.chats,
            cursors=cursors,
            keys=ApiKeys(keys),
            audit=audit,
            tickets=Tickets(TicketRepository(database), Authenticator(ApiKeys(keys)).confirm),
            principal=Principal(organization.id, "tester", frozenset(Capability)),
        )
        async with asyncio.timeout(10):
            await gateway.close()
            await audit.close()
        if database_url:
            return  # what goes on may be another node's
        assert not [attempt for attempt in network.attempts if attempt.is_held]
        assert not [client for client in network.clients if not client.is_stopped]
        left = {task for task in asyncio.all_tasks() - before if task.get_name().startswith("session-")}
        assert not left
    finally:
        await database.close()
