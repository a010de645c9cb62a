"""Sends that their callers do not wait for: accepted durably, sent in order, given up when too old."""

import asyncio
import logging
from dataclasses import asdict
from typing import Any, Final

from ulid import ULID

from server.clock import now_ms
from server.config import Settings
from server.errors import WagateError, not_found
from server.messages.background import keep
from server.messages.composing import Draft, compose
from server.messages.dispatching import Means, Round
from server.messages.results import SendResult, SendStatus
from server.sessions.service import Sessions
from server.store.conversations import SessionGoneError
from server.store.outbox import NewEntry, OutboxStatus
from server.store.records import IdempotencyKey, Session

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 30.0
"""How often entries that are too old are looked for."""
EXPIRED: Final = "expired"
"""Why an entry fails that waited for too long."""
PAGE: Final = 100
"""Entries that are given up at a time."""


class Outbox:
    """Accepts messages and has one dispatcher at work for each connected session that has some."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        means: Means,
    ) -> None:
        """Sends from `sessions` by `means`; nothing is sent before `open`."""
        self._max_age = int(settings.outbox_hours * 3_600_000)
        self._sessions = sessions
        self._means = means
        self._at_work: set[str] = set()
        self._woken: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def open(self) -> None:
        """Begins sending for every session as it connects, and giving up what is too old."""
        self._sessions.on_live(self.wake)
        keep(self._tasks, self._sweep())

    async def close(self) -> None:
        """Stops sending: what was handed over is recorded, the rest stays in the outbox."""
        self._closed = True
        self._means.settling.give_up()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self._means.settling.close()

    async def accept(self, session: Session, draft: Draft, key: IdempotencyKey | None = None) -> SendResult:
        """Puts a message into the outbox; durable when this returns.

        A session that is away keeps its messages waiting; one that has no account to send from does not.

        Raises:
            WagateError: VALIDATION_ERROR or NOT_IMPLEMENTED for the draft; CONFLICT where the session is
                not paired, or an earlier send with this key is under way or of unknown outcome.
        """
        composition = compose(draft)
        await self._means.delivery.complete(session, composition)
        if session.wa_jid is None:
            # Says the status; the connection itself is not needed yet.
            self._sessions.client(session)
        entry = NewEntry(
            id=str(ULID()),
            organization_id=session.organization_id,
            session_id=session.id,
            recipient=str(composition.to),
            draft=asdict(draft),
            created_at=now_ms(),
            key=key,
        )
        try:
            kept = await self._means.repository.accept(entry)
        except SessionGoneError:
            raise not_found("session") from None
        if kept is not None:
            return await self._means.ledger.answer(kept)
        self.wake(session)
        return SendResult(SendStatus.QUEUED, outbox_id=entry.id)

    def wake(self, session: Session) -> None:
        """Sends what waits for a session, where it is connected."""
        if self._closed or self._sessions.connected_client(session) is None:
            return
        if session.id in self._at_work:
            # It may have looked just before: let it look once more.
            self._woken.add(session.id)
            return
        self._at_work.add(session.id)
        keep(self._tasks, self._work(session))

    async def _work(self, session: Session) -> None:
        try:
            again = True
            while again:
                self._woken.discard(session.id)
                await self._look(session)
                again = session.id in self._woken
        except Exception:
            log.exception("the outbox of session %s waits for the next look", session.id)
        finally:
            self._woken.discard(session.id)
            self._at_work.discard(session.id)

    async def _look(self, session: Session) -> None:
        generation = self._sessions.generation(session.id)
        try:
            client = self._sessions.client(session)
        except WagateError:
            return
        if generation is not None:

            def holds() -> bool:
                return self._sessions.generation(session.id) == generation

            await Round(self._means, session, client, generation, holds=holds).run()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)  # entries grow old with the clock alone
            try:
                await self.give_up_overdue()
                for session_id in await self._means.repository.sessions_waiting():
                    session = await self._sessions.look_up(session_id)
                    if session is not None:
                        self.wake(session)
            except Exception:
                log.exception("the outbox could not be looked through; it is tried again")

    async def give_up_overdue(self) -> None:
        """Fails every entry that has waited for too long."""
        while overdue := await self._means.repository.overdue(now_ms() - self._max_age, limit=PAGE):
            for entry in overdue:
                session = await self._sessions.look_up(entry.session_id)
                if session is not None:
                    # Expected: somebody else may have found it too, or sent it after all.
                    await self._means.settling.failed(session, entry, EXPIRED, expected=OutboxStatus.QUEUED)
