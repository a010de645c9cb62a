"""What came of a POST, as far as deliveries care."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum, auto
from typing import Final

_AWAY: Final = frozenset({408, 425, 429})
"""Statuses below 500 with which a server says "not now", and nothing about what it was sent."""


class Verdict(Enum):
    """Whose turn it is."""

    TAKEN = auto()
    """Nobody's: any 2xx."""
    REFUSED = auto()
    """The receiver's owner: it answered, and does not want this event, or not at this address."""
    AWAY = auto()
    """Time's: it did not answer, or said that it cannot now. The next event would fare no better."""


class Failure(StrEnum):
    """Why a POST got no answer, in the words of the delivery log."""

    TIMEOUT = "no answer in time"
    UNREACHABLE = "nobody listens at its address"
    UNKNOWN_HOST = "its name has no address"
    PRIVATE_ADDRESS = "its name leads to an address that is not a public one"
    TLS = "its certificate is not to be trusted, or it speaks no TLS"
    DISCONNECTED = "the connection broke before there was an answer"
    NOT_HTTP = "it answered something that is no HTTP"
    BAD_REQUEST = "its URL, or one of its headers, cannot be sent"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one POST.

    Attributes:
        status: of HTTP; None where there was no answer.
        failure: why there was none; None where there was one.
        retry_after: seconds after which the receiver wants the next attempt, or None.
    """

    status: int | None = None
    failure: Failure | None = None
    retry_after: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What it means. Redirects are not followed, so that they are refusals."""
        if self.status is None or self.status in _AWAY or self.status >= 500:
            return Verdict.AWAY
        return Verdict.TAKEN if 200 <= self.status < 300 else Verdict.REFUSED

    @property
    def error(self) -> str | None:
        """Why the attempt failed, in plain words; None where it did not."""
        if self.failure is not None or self.verdict is Verdict.TAKEN:
            return self.failure
        if self.status is not None and 300 <= self.status < 400:
            return f"it answered {self.status}: redirects are not followed"
        return f"it answered {self.status}"


def read_retry_after(value: str | None, now: int) -> float | None:
    """Reads the header `Retry-After` (RFC 9110, 10.2.3).

    Args:
        value: seconds, or a date of HTTP; None where there is none.
        now: epoch milliseconds.

    Returns:
        Seconds, 0 at least; None where there is none, or nobody can tell what it says.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at - now / 1000)
