"""Idempotency keys: the same key sends once, and everybody who used it hears the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from server.errors import Code, WagateError, invalid
from server.messages.results import SendResult, SendStatus
from server.store.records import IdempotencyKey, KeptResult

KEY_LENGTH: Final = 255
"""Characters in a key, at most."""

_KEPT: Final = frozenset({SendStatus.QUEUED, SendStatus.SENT})


def read_key(organization_id: str, text: str) -> IdempotencyKey:
    """A caller's key.

    Raises:
        WagateError: VALIDATION_ERROR for one that is too long or holds more than printable ASCII.
    """
    if not text or len(text) > KEY_LENGTH or not all(" " <= character <= "~" for character in text):
        raise invalid("Idempotency-Key", f"1 to {KEY_LENGTH} printable ASCII characters, such as a UUID")
    return IdempotencyKey(organization_id, text)


def replay(kept: KeptResult, *, ended: bool) -> SendResult:
    """The answer to a call whose key was seen before.

    Args:
        kept: what is kept under the key.
        ended: whether nobody works on it any more, whatever it says.

    Raises:
        WagateError: CONFLICT where the first send is under way, or nobody knows what became of it.
    """
    if kept.status in _KEPT:
        return SendResult(
            status=SendStatus(kept.status),
            timestamp=kept.timestamp or 0,
            wa_message_id=kept.wa_message_id or "",
            outbox_id=kept.outbox_id or "",
            replayed=True,
        )
    if kept.status is None and not ended:
        raise WagateError(
            Code.CONFLICT,
            "a send with this Idempotency-Key is under way: ask again in a moment",
            {"outcome": "under_way"},
            retry_after=1,
        )
    raise WagateError(
        Code.CONFLICT,
        "nobody knows whether the send with this Idempotency-Key went out: look at the chat, and use a new "
        "key to send it again",
        {"outcome": "indeterminate"},
    )


class Twins:
    """Lets calls with the same key, while one is under way here, wait for the one send."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._under_way: dict[IdempotencyKey, asyncio.Future[SendResult]] = {}

    async def once(self, key: IdempotencyKey, send: Callable[[], Awaitable[SendResult]]) -> SendResult:
        """Runs `send`, or waits for the one that runs under this key already.

        Returns:
            The result, marked as replayed for all but the first.

        Raises:
            WagateError: what the one send raised, for everybody.
        """
        earlier = self._under_way.get(key)
        if earlier is not None:
            result = await asyncio.shield(earlier)
            return SendResult(
                result.status, result.timestamp, result.wa_message_id, result.outbox_id, replayed=True
            )
        outcome = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            result = await send()
        except BaseException as error:
            outcome.set_exception(error)
            outcome.exception()  # nobody may be waiting for it
            raise
        finally:
            del self._under_way[key]
        outcome.set_result(result)
        return result
