"""A client of the gateway, for asyncio.

    async with connect("http://127.0.0.1:8080", key) as gateway:
        await gateway.send_text(session, "628120000001@s.whatsapp.net", "Hello")
        async with gateway.follow(events=["message"]) as events:
            async for event in events:
                ...

Requests and answers are the messages of `wagate.v1`.
"""

from wagate.client.errors import (
    ConflictError,
    ForbiddenError,
    GatewayError,
    InternalError,
    NotFoundError,
    NotSupportedError,
    RateLimitedError,
    TimedOutError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
    ValidationError,
    WhatsAppError,
)
from wagate.client.following import OLDEST, Following
from wagate.client.gateway import Gateway, connect

__all__ = [
    "OLDEST",
    "ConflictError",
    "Following",
    "ForbiddenError",
    "Gateway",
    "GatewayError",
    "InternalError",
    "NotFoundError",
    "NotSupportedError",
    "RateLimitedError",
    "TimedOutError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "ValidationError",
    "WhatsAppError",
    "connect",
]
