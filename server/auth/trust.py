"""Remembers for a moment who a token stands for."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

TRUST_SECONDS: Final = 1.0
"""How long a verified token is trusted without another look: a revocation works within it."""
TRUST_SIZE: Final = 10_000
"""Tokens remembered; the one verified longest ago goes first."""

Holder = TypeVar("Holder")


class Trust(Generic[Holder]):
    """Holders of verified tokens, by the tokens' hashes: no secret stays in memory after its call.

    Only what was verified is remembered, so that wrong tokens take no memory.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, size: int = TRUST_SIZE) -> None:
        """Trusts nobody at first.

        Args:
            clock: gives seconds that never go back.
            size: tokens remembered at most.
        """
        self._clock = clock
        self._size = size
        self._until: OrderedDict[str, tuple[float, Holder]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def now(self) -> float:
        """The time to hand to `remember`: taken before the token is looked at."""
        return self._clock()

    def holder(self, digest: str) -> Holder | None:
        """Whom a token with that hash stands for, or None where it must be verified."""
        found = self._until.get(digest)
        if found is None or found[0] <= self._clock():
            return None
        return found[1]

    def remember(self, digest: str, holder: Holder, since: float, seconds: float | None = None) -> None:
        """Trusts a token.

        Args:
            digest: its hash.
            holder: whom it stands for.
            since: what `now` gave before it was verified.
            seconds: for how long it is good anyway, or None for no end of its own.
        """
        trusted = TRUST_SECONDS if seconds is None else min(TRUST_SECONDS, seconds)
        self._until[digest] = (since + trusted, holder)
        self._until.move_to_end(digest)
        if len(self._until) > self._size:
            self._until.popitem(last=False)

    def forget(self, digest: str) -> None:
        """Trusts a token no longer."""
        self._until.pop(digest, None)
