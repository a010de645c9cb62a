"""WhatsApp's refusals, as a closed list. The library gives them as text; only this file reads it."""

import re
from enum import StrEnum
from typing import Final


class Refusal(StrEnum):
    """Why a send or an action was refused."""

    NOT_ON_WHATSAPP = "not_on_whatsapp"
    """Nobody with that number uses WhatsApp (no LID, or no device)."""
    REACH_OUT_TIMELOCK = "reach_out_timelock"
    """463: the account may not write to people who do not know it, for a while."""
    NOT_ALLOWED = "not_allowed"
    """401, 403 or 405: the recipient or the group does not take messages from this account."""
    OVER_LIMIT = "over_limit"
    """429: WhatsApp itself finds the account too fast."""
    INVALID_MESSAGE = "invalid_message"
    """400, 406 or 479: WhatsApp did not understand the message, or its addressing was stale."""
    GROUP_NOT_FOUND = "group_not_found"
    """The group does not exist or the account is not in it."""
    NOT_CONNECTED = "not_connected"
    """The connection went away before anything was sent."""
    BUSY = "busy"
    """Earlier sends of the session are still waiting for WhatsApp; this one was never handed over."""
    KEY_MISSING = "key_missing"
    """The device lacks the key for it: the poll came before the device was linked."""
    UNSUPPORTED = "unsupported"
    """The client library cannot do it."""
    OTHER = "other"
    """Anything else; `details.text` has the library's words."""


_SERVER_ERROR: Final = re.compile(r"server returned error (\d+)")
_BY_NUMBER: Final = {
    400: Refusal.INVALID_MESSAGE,
    401: Refusal.NOT_ALLOWED,
    403: Refusal.NOT_ALLOWED,
    404: Refusal.NOT_ON_WHATSAPP,
    405: Refusal.NOT_ALLOWED,
    406: Refusal.INVALID_MESSAGE,
    429: Refusal.OVER_LIMIT,
    463: Refusal.REACH_OUT_TIMELOCK,
    479: Refusal.INVALID_MESSAGE,
}
_BY_TEXT: Final = (
    ("no LID found for", Refusal.NOT_ON_WHATSAPP),
    ("not participating in that group", Refusal.GROUP_NOT_FOUND),
    ("that group does not exist", Refusal.GROUP_NOT_FOUND),
    ("the store doesn't contain a device JID", Refusal.NOT_CONNECTED),
    ("original message secret key not found", Refusal.KEY_MISSING),
    # These come with the step that failed in front ("failed to get device list: ..."), and every
    # such step lies before the message goes out.
    (": websocket not connected", Refusal.NOT_CONNECTED),
    ("websocket disconnected before info query", Refusal.NOT_CONNECTED),
)
# After these nobody can say whether the message went out. The library says the bare "websocket not
# connected" only where it had sent the message, lost the connection and could not send it again.
_UNKNOWN_OUTCOME: Final = (
    "timed out waiting for message send response",
    "websocket disconnected before message send",
    "context canceled",
)


_INFO_QUERY: Final = re.compile(r"info query returned status (\d+)")
_BY_STATUS: Final = {
    400: Refusal.INVALID_MESSAGE,
    401: Refusal.NOT_ALLOWED,
    403: Refusal.NOT_ALLOWED,
    404: Refusal.GROUP_NOT_FOUND,
    405: Refusal.NOT_ALLOWED,
    406: Refusal.INVALID_MESSAGE,
    419: Refusal.NOT_ALLOWED,  # a full group
    429: Refusal.OVER_LIMIT,
}
_ACTION_BY_TEXT: Final = (
    ("websocket not connected", Refusal.NOT_CONNECTED),
    ("the store doesn't contain a device JID", Refusal.NOT_CONNECTED),
)
# An action is one info query: when the connection breaks between it and its answer, or no answer comes,
# WhatsApp may have done it.
_UNKNOWN_ACTION: Final = (
    "info query timed out",
    "websocket disconnected before info query",
    "context canceled",
)
_INVITE: Final = ("that group invite link is not valid", "that group invite link has been revoked")
_NO_PHONE: Final = ("phone number too short", "international phone number required")
_MALFORMED_INVITE: Final = (400, 404, 406, 410)


def refusal_of(text: str) -> Refusal | None:
    """Classifies the library's error text.

    Returns:
        The refusal, or None where the text says that the outcome is unknown: the message may have
        been sent.
    """
    number = _SERVER_ERROR.search(text)
    if number is not None:
        return _BY_NUMBER.get(int(number[1]), Refusal.OTHER)
    if text == "websocket not connected" or any(words in text for words in _UNKNOWN_OUTCOME):
        return None
    for words, refusal in _BY_TEXT:
        if words in text:
            return refusal
    if text.startswith("failed to send message node"):
        return None
    return Refusal.OTHER


def action_refusal_of(text: str) -> Refusal | None:
    """Classifies the library's error text for what is no message: joining, signals.

    Returns:
        The refusal, or None where the text says that the outcome is unknown: it may have been done.
    """
    status = _INFO_QUERY.search(text)
    if status is not None:
        return _BY_STATUS.get(int(status[1]), Refusal.OTHER)
    if any(words in text for words in _UNKNOWN_ACTION):
        return None
    for words, refusal in _ACTION_BY_TEXT:
        if words in text:
            return refusal
    return Refusal.OTHER


def refuses_invite(text: str) -> bool:
    """Whether the library's error text for joining a group says that the invite is no good."""
    status = _INFO_QUERY.search(text)
    return text in _INVITE or (status is not None and int(status[1]) in _MALFORMED_INVITE)


def says_already_done(text: str) -> bool:
    """Whether the library's error text says that what was asked for is so already."""
    status = _INFO_QUERY.search(text)
    return status is not None and int(status[1]) == 409


def pairing_refusal_of(text: str) -> Refusal | None:
    """Classifies the library's error text for a pairing code.

    Returns:
        The refusal, or None where WhatsApp could not be asked or did not answer.
    """
    status = _INFO_QUERY.search(text)
    if status is not None:
        return Refusal.OVER_LIMIT if int(status[1]) == 429 else Refusal.NOT_ON_WHATSAPP
    return Refusal.NOT_ON_WHATSAPP if any(words in text for words in _NO_PHONE) else None
