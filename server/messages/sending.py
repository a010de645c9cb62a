"""Sends that their callers wait for."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from server.clock import now_ms
from server.errors import Code, WagateError
from server.messages.background import keep
from server.messages.composing import Draft, compose
from server.messages.delivery import Delivery
from server.messages.keys import Twins
from server.messages.ledger import Ledger
from server.messages.recording import Shown, message_of, status_event
from server.messages.results import (
    ACK_FAILED,
    ACK_SENT,
    SendResult,
    SendStatus,
    outcome_unknown,
    refused,
)
from server.sessions.service import Sessions
from server.store.outcomes import LateAnswer, Outcome, OutcomeRepository, SettledKey
from server.store.records import IdempotencyKey, Session
from server.whatsapp.content import Content
from server.whatsapp.jid import Jid
from server.whatsapp.port import Client, OutcomeUnknownError, RefusedError, Sent

log = logging.getLogger(__name__)

CROWD: Final = 4
"""Sends under way from which on each waits a little for the others' records: below, it would only be late."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent.

    Attributes:
        appearance: how it appears in the stored copy, where `content` does not tell.
        key: the caller's idempotency key.
    """

    to: Jid
    content: Content
    appearance: Shown | None = None
    key: IdempotencyKey | None = None


class Sending:
    """Sends messages from sessions, and waits for WhatsApp's acknowledgement."""

    def __init__(
        self,
        sessions: Sessions,
        delivery: Delivery,
        ledger: Ledger,
        outcomes: OutcomeRepository,
    ) -> None:
        """Sends from `sessions`; writes down in `ledger` before, in `outcomes` after."""
        self._sessions = sessions
        self._delivery = delivery
        self._ledger = ledger
        self.outcomes = outcomes
        self._twins = Twins()
        # Both go on when their caller is gone; the sets keep them from being collected.
        self._sends: set[asyncio.Task[Any]] = set()
        self._settlings: set[asyncio.Task[Any]] = set()

    async def send(self, session: Session, draft: Draft, key: IdempotencyKey | None = None) -> SendResult:
        """Sends a message and waits for WhatsApp's acknowledgement.

        A caller who goes away meanwhile does not take the message back, nor keep it from being
        recorded.

        Raises:
            WagateError: VALIDATION_ERROR or NOT_IMPLEMENTED for the draft; CONFLICT where the session
                is not connected, or an earlier send with this key is under way or of unknown outcome;
                RATE_LIMITED over the session's rate; WHATSAPP_ERROR where WhatsApp refused; TIMEOUT
                where it did not answer (`details.outcome`: "indeterminate", or "not_sent" where the
                message was never handed over).
        """
        composition = compose(draft)

        async def run() -> SendResult:
            try:
                content = await self._delivery.complete(session, composition)
                client = self._sessions.client(session)
                kept = await self._ledger.reserve(session, key)
            except WagateError:
                # A key that was seen before has its answer, whatever keeps a new send from beginning.
                earlier = None if key is None else await self._ledger.earlier(key)
                if earlier is None:
                    raise
                return earlier
            if kept is not None:
                return kept
            return await self._hand_over(session, client, Message(composition.to, content, key=key))

        work = run() if key is None else self._twins.once(key, run)
        return await asyncio.shield(keep(self._sends, work))

    async def send_message(self, session: Session, message: Message) -> SendResult:
        """Sends a message that is complete already, and has no key; otherwise like `send`."""

        async def run() -> SendResult:
            client = self._sessions.client(session)
            await self._ledger.reserve(session, None)
            return await self._hand_over(session, client, message)

        return await asyncio.shield(keep(self._sends, run()))

    async def close(self) -> None:
        """Waits for the sends under way to be recorded, not for answers that are late already."""
        while self._sends:
            await asyncio.wait(set(self._sends))
        for settling in self._settlings:
            settling.cancel()
        while self._settlings:
            await asyncio.wait(set(self._settlings))

    async def _hand_over(self, session: Session, client: Client, message: Message) -> SendResult:
        began = now_ms()
        try:
            sent = await self._delivery.deliver(session, client, message.to, message.content)
        except RefusedError as error:
            await self._ledger.release(message.key)
            raise refused(error) from error
        except OutcomeUnknownError as error:
            await self._record_unknown(session, message, began, error)
            raise outcome_unknown() from error
        await self._record_sent(session, message, began, sent)
        return SendResult(SendStatus.SENT, sent.timestamp, sent.id)

    async def _record_sent(self, session: Session, message: Message, began: int, sent: Sent) -> None:
        chat = await self._delivery.canonical(session, message.to)
        row = message_of(
            session,
            chat,
            message.content,
            status=SendStatus.SENT,
            began=began,
            sent=sent,
            appearance=message.appearance,
        )
        try:
            await self.outcomes.record(
                Outcome(message=row, key=_settled(message.key, SendStatus.SENT, sent)),
                company=len(self._sends) >= CROWD,
            )
        except Exception as error:
            log.exception("a sent message of session %s could not be recorded", session.id)
            raise WagateError(
                Code.INTERNAL,
                "the message was sent, but the gateway could not record it",
                {"outcome": "sent", "waMessageId": sent.id},
            ) from error

    async def _record_unknown(
        self, session: Session, message: Message, began: int, error: OutcomeUnknownError
    ) -> None:
        chat = await self._delivery.canonical(session, message.to)
        row = message_of(
            session,
            chat,
            message.content,
            status=SendStatus.INDETERMINATE,
            began=began,
            appearance=message.appearance,
        )
        key = _settled(message.key, SendStatus.INDETERMINATE, None)
        try:
            row_id = await self.outcomes.record(Outcome(message=row, key=key))
        except Exception:
            # What matters more to the caller than this is that it may have been sent.
            log.exception("an indeterminate send of session %s could not be recorded", session.id)
            return
        if error.late is not None and row_id is not None:
            keep(self._settlings, self._settle(session, chat, row_id, message.key, error.late))

    async def _settle(
        self,
        session: Session,
        chat: Jid,
        row_id: int,
        key: IdempotencyKey | None,
        late: "asyncio.Future[Sent]",
    ) -> None:
        try:
            try:
                # Shielded: the send itself goes on when the node stops waiting for it.
                sent = await asyncio.shield(late)
            except RefusedError as error:
                reason = str(error.refusal)
                answer = LateAnswer(row_id, None, 0, ACK_FAILED, reason)
                event = status_event(
                    session, chat, status=SendStatus.FAILED, timestamp=now_ms(), reason=reason
                )
                await self.outcomes.record(Outcome(late=answer, event=event))
            else:
                answer = LateAnswer(row_id, sent.id, sent.timestamp, ACK_SENT, None)
                event = status_event(session, chat, status=SendStatus.SENT, timestamp=now_ms(), sent=sent)
                settled = _settled(key, SendStatus.SENT, sent)
                await self.outcomes.record(Outcome(late=answer, key=settled, event=event))
        except OutcomeUnknownError:
            log.info("message %d stays indeterminate: WhatsApp never answered", row_id)
        except Exception:
            log.exception("message %d stays indeterminate: its late answer could not be recorded", row_id)


def _settled(key: IdempotencyKey | None, status: SendStatus, sent: Sent | None) -> SettledKey | None:
    if key is None:
        return None
    if sent is None:
        return SettledKey(key, status, None, 0)
    return SettledKey(key, status, sent.id, sent.timestamp)
