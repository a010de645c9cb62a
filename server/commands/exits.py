"""What the exit code of a command means, and how it comes from an error."""

from enum import IntEnum
from typing import Final

from server.errors import Code, WagateError


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    """It was done."""
    FAILED = 1
    """It was not done; the message says why. Of `doctor`: something is broken."""
    WRONG_USE = 2
    """The command, a setting or a value is wrong: nothing was done."""
    NOT_FOUND = 3
    """What was asked for does not exist, or belongs to another organization."""
    NOT_ALLOWED = 4
    """There is no key, or it is not in force, or it lacks the permission."""
    NOT_CONNECTED = 5
    """The gateway cannot be reached or serve now, or the session is not connected: nothing was done."""
    UNKNOWN = 6
    """Nobody knows whether it was done: look before you do it again."""
    TOO_FAST = 7
    """Over the session's rate of sending; the message says when to come back."""
    INTERRUPTED = 130
    """Ctrl+C ended it."""
    CLOSED = 141
    """Whoever read the output went away, such as `| head`."""


_BY_CODE: Final = {
    Code.VALIDATION_ERROR: Exit.WRONG_USE,
    Code.PAYLOAD_TOO_LARGE: Exit.WRONG_USE,
    Code.UNAUTHORIZED: Exit.NOT_ALLOWED,
    Code.FORBIDDEN: Exit.NOT_ALLOWED,
    Code.NOT_FOUND: Exit.NOT_FOUND,
    Code.RATE_LIMITED: Exit.TOO_FAST,
    Code.UNAVAILABLE: Exit.NOT_CONNECTED,
    Code.TIMEOUT: Exit.UNKNOWN,
}


def exit_of(error: WagateError) -> Exit:
    """The exit code that an error ends a command with."""
    if error.details.get("outcome") in {"indeterminate", "sent"}:
        return Exit.UNKNOWN
    if error.code in {Code.CONFLICT, Code.NOT_IMPLEMENTED} and "status" in error.details:
        return Exit.NOT_CONNECTED  # a session's status: it is not connected
    if error.code is Code.TIMEOUT and "outcome" in error.details:
        return Exit.NOT_CONNECTED  # it was never handed over
    return _BY_CODE.get(error.code, Exit.FAILED)


def advice_on(error: WagateError) -> str | None:
    """What a person may do next where the message itself does not say it."""
    status = error.details.get("status")
    if status in _BY_STATUS and error.code in {Code.CONFLICT, Code.NOT_IMPLEMENTED}:
        return _BY_STATUS[status]
    if error.details.get("outcome") == "indeterminate":
        return "Look at the chat before you do it again: `wagate chats messages`."
    if error.code is Code.RATE_LIMITED and error.retry_after is not None:
        return f"Come back in {error.retry_after} s, or send with --async: it waits for its turn."
    return _ADVICE.get(error.code)


_BY_STATUS: Final[dict[object, str]] = {
    "stopped": "`wagate sessions start` connects it; one that was never paired needs `wagate pair`.",
    "starting": "It is being connected: try again in a moment. `wagate sessions health` tells more.",
    "scan_qr_code": "`wagate pair` shows its code.",
    "logged_out": "`wagate pair` links it again.",
    "failed": "`wagate sessions health` tells why and who must act.",
}
_ADVICE: Final = {
    Code.UNAUTHORIZED: (
        "Set WAGATE_API_KEY, or name a file with --key-file. `wagate keys create` makes a key, on the "
        "gateway's machine."
    ),
    Code.FORBIDDEN: "`wagate keys create --permissions ...` makes a key that may, on the gateway's machine.",
    Code.UNAVAILABLE: "`wagate doctor` looks for the cause; --url or WAGATE_URL name another gateway.",
    Code.INTERNAL: "The gateway's log says more: logs/node.log in its data directory.",
}
