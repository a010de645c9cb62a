"""Deleting a message as the WUTS API wants it: what is asked, what is answered, and who does it."""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from server.errors import Code, WagateError, invalid_fields
from server.whatsapp.jid import parse_jid

REASON_LENGTH: Final = 1000
"""Characters in a reason, at most."""
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,128}")
"""WhatsApp's ids are short hexadecimal texts; other clients' may look different, but never hold spaces."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a caller wants deleted.

    Attributes:
        organization_id: the caller's.
        session_id: the only session that exists for the caller.
        chat_jid: the chat, as the caller wrote it; a JID.
        message_id: WhatsApp's id.
        for_everyone: revoke it on WhatsApp, else hide it in the stored copy alone.
        own_only: refuse a message that this session did not send.
    """

    organization_id: str
    session_id: str
    chat_jid: str
    message_id: str
    for_everyone: bool
    own_only: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of it.

    Attributes:
        sent_at: when the message was sent, epoch milliseconds.
        deleted_at: when it was deleted, epoch milliseconds.
        within_time_limit: whether it could (still) be revoked for everyone then.
    """

    sent_at: int
    deleted_at: int
    within_time_limit: bool


class TooLateError(WagateError):
    """The message is older than WhatsApp lets it be revoked (WUTS, `TIME_LIMIT_EXCEEDED`)."""

    def __init__(self) -> None:
        super().__init__(
            Code.VALIDATION_ERROR,
            "the message is too old to be deleted for everyone; it can be deleted for_me",
        )


class RevokeForWuts(Protocol):
    """Deletes messages for callers of the WUTS API."""

    async def delete(self, deletion: Deletion) -> Deleted:
        """Deletes a message. Deleting one that is deleted already changes nothing.

        Args:
            deletion: as `checked` accepts it.

        Raises:
            TooLateError: for everyone, and WhatsApp's time for that is over.
            WagateError: NOT_FOUND for a session or message that does not exist for the caller; FORBIDDEN
                where the message is not the session's own and `own_only` is set; CONFLICT where the session
                is not connected and WhatsApp has to be told; WHATSAPP_ERROR, TIMEOUT, RATE_LIMITED as for a
                send.
        """
        ...


def checked(deletion: Deletion, reason: str) -> Deletion:
    """Returns a deletion that can be tried.

    Args:
        deletion: as the caller wrote it.
        reason: why, in the caller's words.

    Raises:
        WagateError: VALIDATION_ERROR naming every field that is missing or wrong.
    """
    problems: dict[str, str] = {}
    if not deletion.message_id:
        problems["messageId"] = "required: the WhatsApp id of the message"
    elif not _MESSAGE_ID.fullmatch(deletion.message_id):
        problems["messageId"] = "not an id of a message: at most 128 visible ASCII characters"
    if not deletion.chat_jid:
        problems["chatJid"] = "required: the JID of the chat"
    else:
        try:
            parse_jid(deletion.chat_jid)
        except ValueError as error:
            problems["chatJid"] = str(error)
    if len(reason) > REASON_LENGTH:
        problems["reason"] = f"at most {REASON_LENGTH} characters"
    if problems:
        raise invalid_fields(problems)
    return deletion
