"""How far a message has come, and how that is told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.errors import Code, WagateError
from server.whatsapp.port import RefusedError
from server.whatsapp.refusals import Refusal

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
        timestamp: WhatsApp's time for it, epoch milliseconds; 0 while it has none.
        wa_message_id: the id under which every recipient knows it; "" while unknown.
        outbox_id: the entry of a message that is sent later, "" for one that was waited for.
        replayed: whether this is the kept answer of an earlier call with the same key.
    """

    status: SendStatus
    timestamp: int = 0
    wa_message_id: str = ""
    outbox_id: str = ""
    replayed: bool = False


def refused(error: RefusedError) -> WagateError:
    """What a caller is told of a message that WhatsApp or the library did not take."""
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


def outcome_unknown() -> WagateError:
    """What a caller is told of a message that nobody knows the outcome of."""
    return WagateError(
        Code.TIMEOUT,
        "WhatsApp did not answer in time. The message may have been sent; it is not sent again by itself.",
        {"outcome": "indeterminate"},
    )
