"""The sessions of this node, as operations over them."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ulid import ULID

from server.auth.principal import Principal
from server.clock import now_ms
from server.config import Settings
from server.errors import Code, WagateError, invalid, not_found
from server.sessions.adoption import Adoption
from server.sessions.endings import plain
from server.sessions.inbox import Ingest
from server.sessions.ownership import RENEWALS, Ownership
from server.sessions.runner import Runner
from server.sessions.state import Phase, Status, status_of
from server.sessions.view import SessionHealth, SessionView
from server.sessions.viewing import Viewing
from server.store.leases import LeaseRepository
from server.store.records import Session
from server.store.sessions import SessionRepository
from server.whatsapp.pairing_port import Pairing, PairingCode, QRCode
from server.whatsapp.port import Client, ClientError, ClientFactory, ConnectError, RefusedError
from server.whatsapp.threads import uninterrupted

log = logging.getLogger(__name__)

LABEL_LENGTH: Final = 200
"""Characters in a label, at most."""
_PHONE: Final = re.compile("[1-9][0-9]{4,14}")
_ID: Final = re.compile("[0-9A-HJKMNP-TV-Z]{26}")
"""What an id looks like (a ULID): no other text is worth a look into the database."""


class Sessions:
    """Holds sessions and runs the operations of the REST API's page over them."""

    def __init__(
        self,
        settings: Settings,
        repository: SessionRepository,
        leases: LeaseRepository,
        *,
        clients: ClientFactory,
        pairing: Pairing,
        ingest: Ingest,
    ) -> None:
        """Holds nothing before `open`.

        Args:
            settings: the node's.
            repository: where sessions are stored.
            leases: which node holds them.
            clients: makes connections.
            pairing: begins pairing attempts.
            ingest: takes what sessions receive.
        """
        self._settings = settings
        self._repository = repository
        self._clients = clients
        self._pairing = pairing
        self._ingest = ingest
        self._runners: dict[str, Runner] = {}
        self._viewing = Viewing(leases, self._held_here, settings.node_id)
        self._ownership = Ownership(leases, seconds=settings.lease_seconds, lost=self._lose)
        self._adoption = Adoption(
            leases, self._adopt, self._tell_of, seconds=settings.lease_seconds / RENEWALS
        )
        self._losing: set[asyncio.Task[None]] = set()
        self._storing: asyncio.Task[None] | None = None
        self._became_live: Callable[[Session], None] = lambda _session: None

    async def open(self) -> None:
        """Begins connecting every session that shall be connected and is held by no other node.

        It does not wait for them. From then on the node takes over what others leave behind.
        """
        self._ownership.open()
        await self._adoption.open()
        self._storing = asyncio.create_task(self._keep_storing_rest(), name="storing-rest")

    async def close(self) -> None:
        """Disconnects every session; a node that is open connects them again."""
        await self._adoption.close()
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.wait({self._storing})
        runners = list(self._runners.values())
        await asyncio.gather(*(runner.suspend() for runner in runners))
        await self._ownership.close()
        self._runners.clear()

    def generation(self, session_id: str) -> int | None:
        """The generation of the lease under which this node holds a session; None where it does not.

        What is written in its name is fenced with it: see `server.store.leases.held`.
        """
        return self._ownership.generation(session_id)

    async def find(self, principal: Principal, session_id: str) -> Session:
        """Returns a session of the caller's organization.

        Raises:
            WagateError: NOT_FOUND, also for another organization's.
        """
        runner = self._held_here(session_id)
        if runner is not None:
            record: Session | None = runner.record
        else:
            record = await self._repository.find(session_id) if _ID.fullmatch(session_id) else None
        if record is None or record.organization_id != principal.organization_id:
            raise not_found("session")
        return record

    async def view(self, record: Session) -> SessionView:
        """A session with its status, which is asked of the wire and not remembered."""
        (view,) = await self._viewing.views([record])
        return view

    async def page(self, principal: Principal, *, after: str, limit: int) -> Sequence[SessionView]:
        """Returns up to `limit` sessions of the caller's organization, oldest first, behind id `after`."""
        return await self._viewing.views(
            await self._repository.page(principal.organization_id, after=after, limit=limit)
        )

    async def health(self, record: Session) -> SessionHealth:
        """A session with what shows whether it works."""
        return await self._viewing.health(record)

    async def create(
        self, principal: Principal, *, label: str, auto_read: bool, presence_typing: bool, start: bool
    ) -> SessionView:
        """Creates a session; with `start` its pairing begins at once.

        Raises:
            WagateError: VALIDATION_ERROR for a label that is too long or cannot be stored.
        """
        if len(label) > LABEL_LENGTH:
            raise invalid("label", f"at most {LABEL_LENGTH} characters")
        if "\0" in label:  # which PostgreSQL cannot store
            raise invalid("label", "must not hold the character U+0000")
        now = now_ms()
        record = Session(
            id=str(ULID()),
            organization_id=principal.organization_id,
            label=label,
            auto_read=auto_read,
            presence_typing=presence_typing,
            is_admin_session=False,
            created_by=principal.subject,
            created_at=now,
            updated_at=now,
            last_connected_at=None,
            rate_per_min=self._settings.rate_per_min,
            rate_per_hour=self._settings.rate_per_hour,
            wanted=False,
            phone_number=None,
            wa_jid=None,
            wa_lid=None,
            ending=None,
        )
        await self._repository.add(record)
        if start:
            await self._start(record)
        return await self.view(record)

    async def delete(self, record: Session) -> None:
        """Deletes a session with its stored data and its device.

        A live one is unlinked first, so that the phone does not go on showing it.
        """
        await uninterrupted(self._delete(record))

    async def _delete(self, record: Session) -> None:
        # The retired runner stays until the session is gone: calls under way find it and are refused.
        runner = self._runner(record)
        try:
            await runner.retire()
        finally:
            if runner.retired:
                self._runners.pop(record.id, None)

    async def code(self, record: Session) -> QRCode:
        """The QR code to show now; begins pairing where none is under way.

        Raises:
            WagateError: CONFLICT for a session that is paired; NOT_FOUND until a code is ready;
                UNAVAILABLE where too many pairings are under way.
        """
        if record.wa_jid is not None:
            raise WagateError(
                Code.CONFLICT,
                "the session is paired already; log it out first to pair it again",
                {"status": str((await self.view(record)).status)},
            )
        runner = await self._start(record)
        if runner.code is None or runner.code.expires_at <= now_ms():
            raise WagateError(Code.NOT_FOUND, "no QR code yet: pairing has begun, ask again in a moment")
        return runner.code

    async def account(self, record: Session) -> SessionView:
        """A session with the account that it is linked to.

        Raises:
            WagateError: NOT_FOUND for one that is not paired; its details say why where it was tried.
        """
        view = await self.view(record)
        if view.record.wa_jid is not None:
            return view
        details = {"status": str(view.status)}
        message = "the session is not paired: it has no account"
        if view.record.ending is not None:
            details["reason"] = view.record.ending
            message = f"{message}. The last time it ended: {plain(view.record.ending)}"
        raise WagateError(Code.NOT_FOUND, message, details)

    async def pairing_code(self, record: Session, phone: str) -> PairingCode:
        """A code that the phone with this number can type; begins pairing where none is under way.

        Args:
            record: the session to pair.
            phone: the number with its country code, digits only.

        Raises:
            WagateError: VALIDATION_ERROR for a number that is none, and for a session that is paired;
                WHATSAPP_ERROR where WhatsApp gives no code for this number; UNAVAILABLE where too many
                pairings are under way or WhatsApp cannot be reached.
        """
        if not _PHONE.fullmatch(phone):
            raise invalid("phone", "the number with its country code, 5 to 15 digits and nothing else")
        if record.wa_jid is not None:
            raise invalid("session", "paired already; log it out first to pair it again")
        runner = await self._start(record)
        try:
            return await runner.code_for(phone)
        except RefusedError as error:
            raise WagateError(
                Code.WHATSAPP_ERROR,
                f"WhatsApp gives no pairing code: {error.refusal}",
                {"reason": str(error.refusal), "text": str(error)},
            ) from error
        except ConnectError as error:
            raise WagateError(
                Code.UNAVAILABLE, f"no pairing code: {error}. Ask again.", retry_after=5
            ) from error

    async def start(self, record: Session) -> SessionView:
        """Connects a paired session, begins pairing an unpaired one; does nothing where it runs."""
        runner = await self._start(record)
        return await self.view(runner.record)

    async def stop(self, record: Session) -> SessionView:
        """Disconnects a session, or ends its pairing; does nothing where nothing runs."""
        runner = self._runner(record)
        await self._operate(runner, runner.stop)
        return await self.view(runner.record)

    async def restart(self, record: Session) -> SessionView:
        """Stops and starts a session."""
        runner = self._runner(record)
        await self._operate(runner, runner.restart)
        return await self.view(runner.record)

    async def logout(self, record: Session) -> SessionView:
        """Unlinks the device; does nothing for a session that is not paired.

        Raises:
            WagateError: CONFLICT where the session is not connected, since WhatsApp must be told;
                WHATSAPP_ERROR where WhatsApp did not confirm.
        """
        if record.wa_jid is None:
            return await self.view(record)
        self.client(record)
        runner = self._runner(record)
        try:
            await runner.logout()
        except ClientError as error:
            raise WagateError(Code.WHATSAPP_ERROR, str(error), {"reason": "other"}) from error
        return await self.view(runner.record)

    def client(self, record: Session) -> Client:
        """The live connection of a session.

        Raises:
            WagateError: CONFLICT with the status in its details, where it is not connected.
        """
        client = self.connected_client(record)
        if client is not None:
            return client
        runner = self._runners.get(record.id)
        status = status_of(record, Phase.IDLE if runner is None else runner.phase)
        details = {"status": str(status)}
        message = f"the session is not connected (status: {status})"
        if record.ending is not None and status in {Status.FAILED, Status.LOGGED_OUT}:
            details["reason"] = record.ending
            message = f"{message}: {plain(record.ending)}"
        raise WagateError(Code.CONFLICT, message, details)

    def connected_client(self, record: Session) -> Client | None:
        """The live connection of a session, None where it is not connected."""
        runner = self._runners.get(record.id)
        return None if runner is None else runner.client

    def on_live(self, listener: Callable[[Session], None]) -> None:
        """Calls `listener` whenever a session has become connected. One listener."""
        self._became_live = listener

    def _note_live(self, session: Session) -> None:
        self._became_live(session)

    def live_client(self, record: Session) -> Client:
        """The live connection of a session, for an action that exists only while it is connected.

        Raises:
            WagateError: NOT_IMPLEMENTED where it is not connected (REST API, Errors).
        """
        try:
            return self.client(record)
        except WagateError as error:
            raise WagateError(Code.NOT_IMPLEMENTED, error.message, error.details) from None

    async def look_up(self, session_id: str) -> Session | None:
        """Returns a session, whoever owns it."""
        runner = self._held_here(session_id)
        return runner.record if runner is not None else await self._repository.find(session_id)

    async def _start(self, record: Session) -> Runner:
        runner = self._runner(record)
        await self._operate(runner, runner.start)
        return runner

    async def _operate(self, runner: Runner, operation: Callable[[], Awaitable[None]]) -> None:
        try:
            await operation()
        except WagateError as error:
            if error.code is Code.NOT_FOUND and self._runners.get(runner.record.id) is runner:
                # The caller found the session just before it was deleted.
                del self._runners[runner.record.id]
            raise

    async def _adopt(self, record: Session) -> bool:
        # Without shared storage only the node that paired it has its keys; here it would be logged out.
        if not await asyncio.to_thread((self._settings.devices_dir / record.id).exists):
            return False
        await self._start(record)
        log.info("session %s is held by this node", record.id)
        return True

    async def _tell_of(self, record: Session) -> None:
        runner = self._runner(record)
        await self._operate(runner, runner.tell)

    def _lose(self, session_id: str, generation: int) -> None:
        runner = self._runners.get(session_id)
        if runner is not None:
            task = asyncio.get_running_loop().create_task(
                runner.lose(generation), name=f"losing-{session_id}"
            )
            self._losing.add(task)  # which keeps it from being collected
            task.add_done_callback(self._losing.discard)

    async def _keep_storing_rest(self) -> None:
        while True:
            pause = self._settings.lease_seconds / RENEWALS
            await asyncio.sleep(pause)  # nothing tells when a database is back
            for runner in list(self._runners.values()):
                await runner.store_rest()

    def _held_here(self, session_id: str) -> Runner | None:
        runner = self._runners.get(session_id)
        return runner if runner is not None and runner.is_held else None

    def _runner(self, record: Session) -> Runner:
        runner = self._runners.get(record.id)
        if runner is None:
            runner = self._runners[record.id] = Runner(
                record,
                self._settings.devices_dir / record.id,
                node_id=self._settings.node_id,
                repository=self._repository,
                clients=self._clients,
                pairing=self._pairing,
                ingest=self._ingest,
                ownership=self._ownership,
                became_live=self._note_live,
                probe_after=self._settings.probe_seconds,
            )
        return runner
