"""What a POST says about itself: its headers, and the signature of its body."""

import hashlib
import hmac
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from multidict import CIMultiDict

HMAC: Final = "X-Webhook-Hmac"
ALGORITHM: Final = "X-Webhook-Hmac-Algorithm"
REQUEST_ID: Final = "X-Webhook-Request-Id"
TIMESTAMP: Final = "X-Webhook-Timestamp"

_USER_AGENT: Final = f"wagate/{version('wagate')}"


def signature(secret: str, body: bytes) -> str:
    """The HMAC-SHA512 of a raw body, in lower-case hex (REST API, Webhooks)."""
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


def headers(
    body: bytes, *, secret: str | None, custom: Mapping[str, str], request_id: str, timestamp: int
) -> CIMultiDict[str]:
    """The headers of one POST (REST API, Webhooks).

    Args:
        body: the raw body.
        secret: signs it; None or "" leaves the two headers of the signature out.
        custom: the webhook's own headers. They come last: one with the name of another replaces it.
        request_id: of the delivery; the same in each of its attempts.
        timestamp: of this attempt, epoch milliseconds.
    """
    made = CIMultiDict(
        {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            # An answer is not read, so nobody need compress it.
            "Accept-Encoding": "identity",
            REQUEST_ID: request_id,
            TIMESTAMP: str(timestamp),
        }
    )
    if secret:
        made[HMAC] = signature(secret, body)
        made[ALGORITHM] = "sha512"
    for name, value in custom.items():
        made[name] = value
    return made
