"""Sends: from a command to WhatsApp's answer and into the stored copy."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.config import Settings
from server.errors import Code, WagateError
from server.messages.composing import Draft, compose
from server.sessions.service import Sessions
from server.store.conversations import ConversationRepository
from server.store.records import NewMessage, Session
from server.whatsapp.content import Content
from server.whatsapp.jid import Jid
from server.whatsapp.port import Client, OutcomeUnknownError, RefusedError, Sent
from server.whatsapp.refusals import Refusal

log = logging.getLogger(__name__)

Result = TypeVar("Result")

ACK_FAILED: Final = -1
ACK_UNKNOWN: Final = 0
ACK_SENT: Final = 1


class SendStatus(StrEnum):
    """How far a message has come."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a send.

    Attributes:
        timestamp: WhatsApp's time for it, epoch milliseconds.
        wa_message_id: the id under which every recipient knows it.
    """

    status: SendStatus
    timestamp: int
    wa_message_id: str


class Sending:
    """Sends messages from sessions."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        conversations: ConversationRepository,
        addresses: Addresses,
    ) -> None:
        """Sends from `sessions` and records in `conversations`."""
        self._settings = settings
        self._sessions = sessions
        self._conversations = conversations
        self._addresses = addresses
        # Both go on when their caller is gone; the sets keep them from being collected.
        self._sends: set[asyncio.Task[Any]] = set()
        self._settlings: set[asyncio.Task[Any]] = set()

    async def send(self, session: Session, draft: Draft) -> SendResult:
        """Sends a message and waits for WhatsApp's acknowledgement.

        A caller who goes away meanwhile does not take the message back, nor keep it from being
        recorded.

        Raises:
            WagateError: VALIDATION_ERROR or NOT_IMPLEMENTED for the draft; CONFLICT where the session
                is not connected; WHATSAPP_ERROR where WhatsApp refused; TIMEOUT where it did not answer
                (`details.outcome`: "indeterminate", or "not_sent" where the message was never handed
                over).
        """
        to, content = compose(draft)
        client = self._sessions.client(session)
        return await asyncio.shield(_keep(self._sends, self._send(session, client, to, content)))

    async def close(self) -> None:
        """Waits for the sends under way to be recorded, not for answers that are late already."""
        while self._sends:
            await asyncio.wait(set(self._sends))
        for settling in self._settlings:
            settling.cancel()
        while self._settlings:
            await asyncio.wait(set(self._settlings))

    async def _send(self, session: Session, client: Client, to: Jid, content: Content) -> SendResult:
        began = now_ms()
        try:
            sent = await client.send(to, content, within=self._settings.send_timeout)
        except RefusedError as error:
            raise _refused(error) from error
        except OutcomeUnknownError as error:
            await self._record_unknown(session, to, content, began, error)
            raise WagateError(
                Code.TIMEOUT,
                "WhatsApp did not answer in time. The message may have been sent; "
                "it is not sent again by itself.",
                {"outcome": "indeterminate"},
            ) from error
        try:
            await self._record(session, to, content, sent, began)
        except Exception as error:
            log.exception("a sent message of session %s could not be recorded", session.id)
            raise WagateError(
                Code.INTERNAL,
                "the message was sent, but the gateway could not record it",
                {"outcome": "sent", "waMessageId": sent.id},
            ) from error
        return SendResult(SendStatus.SENT, sent.timestamp, sent.id)

    async def _record_unknown(
        self, session: Session, to: Jid, content: Content, began: int, error: OutcomeUnknownError
    ) -> None:
        try:
            row_id = await self._record(session, to, content, None, began)
        except Exception:
            # What matters more to the caller than this is that it may have been sent.
            log.exception("an indeterminate send of session %s could not be recorded", session.id)
            return
        if error.late is not None and row_id is not None:
            _keep(self._settlings, self._settle(row_id, error.late))

    async def _record(
        self, session: Session, to: Jid, content: Content, sent: Sent | None, began: int
    ) -> int | None:
        chat = await self._addresses.canonical(session.id, to)
        message = NewMessage(
            session_id=session.id,
            chat_jid=str(chat),
            chat_name="",
            wa_message_id=sent.id if sent is not None else None,
            sender_jid=session.wa_jid or "",
            from_me=True,
            type="text",
            body=content.text,
            ack_level=ACK_SENT if sent is not None else ACK_UNKNOWN,
            error=None if sent is not None else SendStatus.INDETERMINATE,
            timestamp=sent.timestamp if sent is not None else began,
            created_at=began,
            content=sent.content if sent is not None else b"",
        )
        (row_id,) = await self._conversations.store([message])
        return row_id

    async def _settle(self, row_id: int, late: "asyncio.Future[Sent]") -> None:
        try:
            try:
                # Shielded: the send itself goes on when the node stops waiting for it.
                sent = await asyncio.shield(late)
            except RefusedError as error:
                await self._conversations.fail_send(row_id, error=str(error.refusal))
            else:
                await self._conversations.settle_send(
                    row_id, wa_message_id=sent.id, timestamp=sent.timestamp, ack_level=ACK_SENT
                )
        except OutcomeUnknownError:
            log.info("message %d stays indeterminate: WhatsApp never answered", row_id)
        except Exception:
            log.exception("message %d stays indeterminate: its late answer could not be recorded", row_id)


def _keep(tasks: set[asyncio.Task[Any]], work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)

    def done(task: "asyncio.Task[Any]") -> None:
        tasks.discard(task)
        # A caller who went away does not ask for the outcome; without this the loop complains.
        if not task.cancelled():
            task.exception()

    task.add_done_callback(done)
    return task


def _refused(error: RefusedError) -> WagateError:
    match error.refusal:
        case Refusal.BUSY:
            return WagateError(Code.TIMEOUT, str(error), {"outcome": "not_sent"}, retry_after=5)
        case Refusal.NOT_CONNECTED:
            return WagateError(
                Code.CONFLICT,
                "the session lost its connection before the message was sent",
                {"status": "starting"},
            )
        case refusal:
            return WagateError(
                Code.WHATSAPP_ERROR,
                f"WhatsApp refused the message: {refusal}",
                {"reason": str(refusal), "text": str(error)},
            )
