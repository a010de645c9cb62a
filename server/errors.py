"""The one error hierarchy: what callers are told, whichever way they called."""

from collections.abc import Mapping
from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as a stable word for programs.

    The words are the documented REST codes; gRPC callers find them as the `reason` of
    `google.rpc.ErrorInfo`.
    """

    VALIDATION_ERROR = "validation_error"
    """The request itself is wrong: malformed, or a field missing or unsupported."""
    UNAUTHORIZED = "unauthorized"
    """No token, or one that is wrong, expired or revoked."""
    FORBIDDEN = "forbidden"
    """The token is good but lacks the capability."""
    NOT_FOUND = "not_found"
    """The resource does not exist, or belongs to another organization."""
    CONFLICT = "conflict"
    """The resource is in a state that does not allow it, such as a session that is not connected."""
    PAYLOAD_TOO_LARGE = "payload_too_large"
    """The body exceeds the gateway's limit."""
    RATE_LIMITED = "rate_limited"
    """Over a send rate; `retry_after` says when to come back."""
    NOT_IMPLEMENTED = "not_implemented"
    """A documented operation or message type that is not built yet."""
    WHATSAPP_ERROR = "whatsapp_error"
    """WhatsApp refused; `details.reason` is one of `server.whatsapp.refusals.Refusal`."""
    UNAVAILABLE = "unavailable"
    """The gateway cannot serve now and nothing was done; ask again."""
    TIMEOUT = "timeout"
    """WhatsApp did not answer in time; `details.outcome` says what is known of the effect."""
    INTERNAL = "internal"
    """A defect of the gateway. Logged with an id that the message repeats."""


class WagateError(Exception):
    """An error that a caller may see.

    Attributes:
        code: the stable word.
        message: for people: what happened, to what, what to do. Never holds a secret or content.
        details: further facts for programs; JSON values only.
        retry_after: seconds after which asking again makes sense, or None.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        details: Mapping[str, object] | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: Mapping[str, object] = details or {}
        self.retry_after = retry_after


def invalid(field: str, problem: str) -> WagateError:
    """A validation error about one field."""
    return invalid_fields({field: problem})


def invalid_fields(problems: Mapping[str, str]) -> WagateError:
    """A validation error about fields, each named in `details` as the REST pages want it."""
    listed = "; ".join(f"{field}: {problem}" for field, problem in problems.items())
    return WagateError(Code.VALIDATION_ERROR, listed, problems)


def not_found(what: str) -> WagateError:
    """The answer for what is missing and for what belongs to somebody else: never tell them apart."""
    return WagateError(Code.NOT_FOUND, f"{what} not found")
