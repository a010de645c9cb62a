"""How sockets end: the codes that clients see, and what they do about it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from server.errors import Code, WagateError

REASON_LENGTH: Final = 123
"""Bytes of a close frame's reason, at most (RFC 6455, 5.5)."""


class CloseCode(IntEnum):
    """Why the gateway closes a socket; from 4000 on they are our own (RFC 6455, 7.4.2).

    docs/following.md has them all. The library closes by itself what is no WebSocket's (1002), no text (1007)
    or too large (1009).
    """

    NOTHING_TAKEN = 1003
    """The client sent something; there is nothing to say on this socket."""
    DEFECT = 1011
    """A defect of the gateway; coming back may help."""
    RESTARTING = 1012
    """The node stops: come back after the last id, at once."""
    LATER = 1013
    """The node cannot serve now: come back after the last id, in a moment."""
    BAD_REQUEST = 4400
    """A parameter is wrong; coming back with the same does not help."""
    UNAUTHORIZED = 4401
    """The ticket opens nothing, or the token behind it is no longer in force: get another ticket."""
    NOT_FOUND = 4404
    """A session of the ticket's filters is gone."""
    TOO_MANY = 4429
    """The organization has too many sockets open."""


_CODES: Final = {
    Code.VALIDATION_ERROR: CloseCode.BAD_REQUEST,
    Code.UNAUTHORIZED: CloseCode.UNAUTHORIZED,
    Code.NOT_FOUND: CloseCode.NOT_FOUND,
    Code.RATE_LIMITED: CloseCode.TOO_MANY,
    Code.UNAVAILABLE: CloseCode.LATER,
}
_NOTHING_TAKEN: Final = "nothing is taken on this socket: it only tells events"


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last frame says.

    Attributes:
        code: for programs.
        reason: for people, in UTF-8; `REASON_LENGTH` bytes at most.
    """

    code: CloseCode
    reason: bytes

    @classmethod
    def of(cls, error: WagateError, *, is_stopping: bool) -> Self:
        """The ending for an error.

        Args:
            error: what ended the stream.
            is_stopping: whether the node stops, so that coming back at once makes sense.
        """
        code = _CODES.get(error.code, CloseCode.DEFECT)
        if is_stopping and code is CloseCode.LATER:
            code = CloseCode.RESTARTING
        # What does not fit is cut, and with it the half of a character.
        text = error.message.encode()[:REASON_LENGTH].decode(errors="ignore")
        return cls(code, text.encode())

    @classmethod
    def nothing_taken(cls) -> Self:
        """The ending for a client that sends something."""
        return cls(CloseCode.NOTHING_TAKEN, _NOTHING_TAKEN.encode())
