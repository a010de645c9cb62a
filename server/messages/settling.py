"""How an outbox entry ended: kept with its message, in the outbox and in the event log, in one commit."""

import asyncio
import logging
from dataclasses import replace
from typing import Any, Final

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.messages.background import keep
from server.messages.composing import Draft, compose
from server.messages.recording import message_of, status_event
from server.messages.results import ACK_FAILED, ACK_SENT, SendStatus
from server.store.conversations import SessionGoneError
from server.store.outbox import OutboxStatus, Settlement
from server.store.outcomes import LateAnswer, Outcome, OutcomeRepository
from server.store.records import OutboxEntry, Session
from server.whatsapp.content import Content
from server.whatsapp.jid import parse_jid
from server.whatsapp.port import OutcomeUnknownError, RefusedError, Sent

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Between attempts to record while the database does not take it."""

_ENDS: Final = {
    SendStatus.SENT: OutboxStatus.SENT,
    SendStatus.FAILED: OutboxStatus.FAILED,
    SendStatus.INDETERMINATE: OutboxStatus.INDETERMINATE,
}


def draft_of(entry: OutboxEntry) -> Draft:
    """The caller's message, as it was accepted."""
    return Draft(**entry.draft)  # type: ignore[arg-type] # it was stored from a draft's own fields


class Settling:
    """Records how entries ended. A database that is away is waited for: nothing else knows the outcome."""

    def __init__(self, outcomes: OutcomeRepository, addresses: Addresses) -> None:
        """Records in `outcomes`."""
        self._outcomes = outcomes
        self._addresses = addresses
        self._late: set[asyncio.Task[Any]] = set()
        self._gives_up = False

    async def close(self) -> None:
        """Waits for late answers no more: what they are about stays indeterminate.

        Nor for a database that is away: the entry's next holder finds it left behind.
        """
        self.give_up()
        for task in self._late:
            task.cancel()
        while self._late:
            await asyncio.wait(set(self._late))

    def give_up(self) -> None:
        """From now on what cannot be recorded at once is left behind, for the next holder to find."""
        self._gives_up = True

    async def sent(self, session: Session, entry: OutboxEntry, content: Content, sent: Sent) -> None:
        """WhatsApp took it."""
        await self._record(session, entry, SendStatus.SENT, content=content, sent=sent)

    async def failed(
        self,
        session: Session,
        entry: OutboxEntry,
        reason: str,
        *,
        expected: OutboxStatus = OutboxStatus.SENDING,
    ) -> None:
        """It was not sent and will not be.

        Args:
            session: whose.
            entry: which.
            reason: a word for programs.
            expected: change nothing unless this is how the entry stands.
        """
        await self._record(session, entry, SendStatus.FAILED, reason=reason, expected=expected)

    async def indeterminate(
        self, session: Session, entry: OutboxEntry, late: "asyncio.Future[Sent] | None" = None
    ) -> None:
        """Nobody knows; where `late` still brings the answer, that is recorded when it comes."""
        row_id = await self._record(session, entry, SendStatus.INDETERMINATE)
        if late is not None and row_id is not None:
            keep(self._late, self._await_late(session, entry, row_id, late))

    async def _await_late(
        self, session: Session, entry: OutboxEntry, row_id: int, late: "asyncio.Future[Sent]"
    ) -> None:
        sent: Sent | None = None
        reason: str | None = None
        try:
            # Shielded: the send itself goes on when the node stops waiting for it.
            sent = await asyncio.shield(late)
        except RefusedError as error:
            reason = str(error.refusal)
        except OutcomeUnknownError:
            log.info("outbox entry %s stays indeterminate: WhatsApp never answered", entry.id)
            return
        status = SendStatus.FAILED if sent is None else SendStatus.SENT
        answer = LateAnswer(
            row_id=row_id,
            wa_message_id=None if sent is None else sent.id,
            timestamp=0 if sent is None else sent.timestamp,
            ack_level=ACK_FAILED if sent is None else ACK_SENT,
            error=reason,
        )
        outcome = await self._outcome(session, entry, status, sent=sent, reason=reason)
        await self._write(replace(outcome, late=answer))

    async def _record(
        self,
        session: Session,
        entry: OutboxEntry,
        status: SendStatus,
        *,
        content: Content | None = None,
        sent: Sent | None = None,
        reason: str | None = None,
        expected: OutboxStatus = OutboxStatus.SENDING,
    ) -> int | None:
        outcome = await self._outcome(session, entry, status, sent=sent, reason=reason, expected=expected)
        if content is None:
            content = compose(draft_of(entry)).content
        chat = await self._addresses.canonical(session.id, parse_jid(entry.recipient))
        message = message_of(
            session, chat, content, status=status, began=entry.created_at, sent=sent, reason=reason
        )
        return await self._write(replace(outcome, message=message))

    async def _outcome(
        self,
        session: Session,
        entry: OutboxEntry,
        status: SendStatus,
        *,
        sent: Sent | None,
        reason: str | None,
        expected: OutboxStatus | None = None,
    ) -> Outcome:
        now = now_ms()
        chat = await self._addresses.canonical(session.id, parse_jid(entry.recipient))
        wa_message_id = None if sent is None else sent.id
        return Outcome(
            entry=Settlement(entry.number, _ENDS[status], now, reason, wa_message_id, expected),
            event=status_event(
                session, chat, status=status, timestamp=now, sent=sent, outbox_id=entry.id, reason=reason
            ),
        )

    async def _write(self, outcome: Outcome) -> int | None:
        while True:
            try:
                return await self._outcomes.record(outcome)
            except SessionGoneError:
                log.info("an outbox entry ended after its session was deleted")
                return None
            except Exception:
                log.exception("how an outbox entry ended could not be recorded")
                if self._gives_up:
                    return None
                await asyncio.sleep(RETRY_SECONDS)  # nothing tells when a database is back
