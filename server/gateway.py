"""The gateway's parts, put together: everything between the database, WhatsApp and the RPCs."""

from collections.abc import Callable, Mapping
from typing import Final

from ulid import ULID

from server.auth.tickets import Tickets
from server.chats.addresses import Addresses
from server.chats.changes import ChatChanges
from server.chats.groups import Groups
from server.chats.histories import Histories
from server.chats.ingest import Ingest
from server.chats.reading import WhatsAppContents
from server.chats.service import Chats
from server.config import Settings
from server.cursors import Cursors
from server.events.realtime import Realtime
from server.events.retention import Retention
from server.events.service import Events
from server.events.webhooks.courier import Courier
from server.events.webhooks.deliveries import Deliveries
from server.events.webhooks.destination import Address, is_public
from server.events.webhooks.endpoint import Means as WebhookMeans
from server.events.webhooks.lanes import Lanes
from server.events.webhooks.looks import SharedLooks
from server.events.webhooks.posting import Poster
from server.events.webhooks.schedule import Schedule
from server.events.webhooks.service import Webhooks
from server.events.webhooks.trimming import Trimming
from server.messages.actions import Actions
from server.messages.budgets import Budgets
from server.messages.deleting import Deleting
from server.messages.delivery import Delivery
from server.messages.dispatching import Means
from server.messages.housekeeping import Housekeeping
from server.messages.ledger import Ledger
from server.messages.outbox import Outbox
from server.messages.sending import Sending
from server.messages.settling import Settling
from server.rounds import Rounds
from server.rpc.chats import ChatsServicer
from server.rpc.event_names import EVENT_NAMES
from server.rpc.events import EventsServicer
from server.rpc.groups import GroupsServicer
from server.rpc.messages import MessagesServicer
from server.rpc.realtime import RealtimeServicer
from server.rpc.sessions import SessionsServicer
from server.rpc.webhooks import WebhooksServicer
from server.sessions.inbox import Ingest as IngestFunction
from server.sessions.service import Sessions
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.early import EarlyArrivalRepository
from server.store.event_log import EventLog
from server.store.history import HistoryRepository
from server.store.idempotency import IdempotencyRepository
from server.store.leases import LeaseRepository
from server.store.life import Life
from server.store.message_actions import MessageRepository
from server.store.outbox import OutboxRepository
from server.store.outcomes import OutcomeRepository
from server.store.reservations import ReservationRepository
from server.store.sessions import SessionRepository
from server.store.webhook_cursors import WebhookCursorRepository
from server.store.webhook_deliveries import WebhookDeliveryRepository
from server.store.webhooks import WebhookRepository
from server.whatsapp.pairing_port import Pairing
from server.whatsapp.port import ClientFactory

UNHURRIED_SECONDS: Final = 0.02
"""How long outcomes of async sends gather for a commit: nobody waits for them."""


def _unchanged(ingest: IngestFunction) -> IngestFunction:
    return ingest


def _anywhere(_address: Address) -> bool:
    return True


class Gateway:
    """One node's domain: holds sessions, sends, receives, remembers."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clients: ClientFactory,
        pairing: Pairing,
        *,
        cursors: Cursors,
        around_ingest: Callable[[IngestFunction], IngestFunction] = _unchanged,
    ) -> None:
        """Puts the parts together; nothing runs before `open`.

        Args:
            settings: the node's.
            database: with its schema up to date.
            clients: makes connections to WhatsApp.
            pairing: begins pairing attempts.
            cursors: signs the positions in lists.
            around_ingest: may put something around what takes received messages.
        """
        self.session_records = SessionRepository(database)
        contents = WhatsAppContents()
        self.conversations = ConversationRepository(database, contents)
        self.messages = MessageRepository(database)
        self.addresses = Addresses(self.conversations)
        self.cursors = cursors
        self.histories = Histories(HistoryRepository(database, contents))
        ingest = around_ingest(self.histories.before(Ingest(self.conversations, self.addresses)))
        life = Life(settings.node_id, str(ULID()), settings.lease_seconds)
        leases = LeaseRepository(database, node=life.node, boot=life.boot, seconds=life.seconds)
        self.sessions = Sessions(
            settings, self.session_records, leases, clients=clients, pairing=pairing, ingest=ingest
        )
        self.chats = Chats(self.conversations, self.messages, self.addresses, cursors)
        self.changes = ChatChanges(
            self.sessions, self.chats, self.conversations, self.messages, within=settings.send_timeout
        )
        self.groups = Groups(self.sessions, within=settings.send_timeout)
        self.delivery = Delivery(settings, self.conversations, self.messages, self.addresses)
        outcomes = OutcomeRepository(database, contents)
        reservations = ReservationRepository(database)
        idempotency = IdempotencyRepository(database)
        entries = OutboxRepository(database)
        budgets = Budgets(reservations)
        self.ledger = Ledger(self.sessions, budgets, reservations, idempotency)
        self.sending = Sending(self.sessions, self.delivery, self.ledger, outcomes)
        means = Means(
            share=settings.async_share,
            delivery=self.delivery,
            budgets=budgets,
            ledger=self.ledger,
            repository=entries,
            settling=Settling(
                OutcomeRepository(database, contents, gather=UNHURRIED_SECONDS), self.addresses
            ),
        )
        self.outbox = Outbox(settings, self.sessions, means)
        self.actions = Actions(
            self.sessions,
            self.sending,
            self.conversations,
            self.messages,
            self.addresses,
            send_timeout=settings.send_timeout,
        )
        self.deleting = Deleting(
            self.sessions,
            self.actions,
            self.conversations,
            self.messages,
            self.addresses,
            revoke_hours=settings.revoke_hours,
        )
        housekeeping = Housekeeping(
            settings, idempotency, reservations, entries, EarlyArrivalRepository(database)
        )
        event_log = EventLog(database)
        self.events = Events(event_log, self.sessions)
        deliveries = WebhookDeliveryRepository(database)
        cursors_of_webhooks = WebhookCursorRepository(database, life)
        self.courier = Courier(
            WebhookMeans(
                poster=Poster(
                    _anywhere if settings.webhook_allow_private else is_public,
                    timeout_seconds=settings.webhook_timeout,
                ),
                cursors=cursors_of_webhooks,
                webhooks=SharedLooks(cursors_of_webhooks),
                deliveries=deliveries,
                reading=self.events.reading,
                bells=self.events.bells,
                schedule=Schedule(settings.webhook_patience_minutes * 60),
                lanes=Lanes(settings.webhook_concurrency),
            ),
            lease_seconds=life.seconds,
        )
        self._rounds = Rounds(
            {
                "forget old keys and entries": housekeeping.round,
                "forget old events": Retention(settings, event_log).round,
                "forget old deliveries": Trimming(settings, deliveries).round,
            }
        )
        self.webhooks = Webhooks(
            settings,
            WebhookRepository(database),
            self.sessions,
            event_names=EVENT_NAMES,
            changed=self.courier.changed,
        )
        self.deliveries = Deliveries(self.webhooks, deliveries, redriven=self.courier.changed)

    def servicers(self, tickets: Tickets) -> Mapping[str, object]:
        """What serves each service of the contract, by the service's name.

        Args:
            tickets: stand for a token once.
        """
        return {
            "Sessions": SessionsServicer(self.sessions, self.cursors),
            "Messages": MessagesServicer(self.sending, self.outbox, self.actions),
            "Chats": ChatsServicer(self.chats, self.changes),
            "Groups": GroupsServicer(self.groups),
            "Events": EventsServicer(self.events),
            "Realtime": RealtimeServicer(Realtime(self.events, tickets)),
            "Webhooks": WebhooksServicer(self.webhooks, self.deliveries, self.cursors),
        }

    async def open(self) -> None:
        """Begins connecting sessions and sending what waits; does not wait for either."""
        await self.outbox.open()
        self.events.open()
        self.courier.open()
        self._rounds.open()
        self.histories.open()
        await self.sessions.open()

    async def close(self) -> None:
        """Ends everything; what was handed to WhatsApp is recorded first."""
        await self._rounds.close()
        await self.courier.close()
        await self.events.close()
        await self.outbox.close()
        await self.sending.close()
        await self.sessions.close()
        await self.histories.close()
