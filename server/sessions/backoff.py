"""How long to wait between attempts that failed."""

import random
from typing import Final

FIRST_SECONDS: Final = 0.5
CAP_SECONDS: Final = 15.0


class Backoff:
    """Waits that double up to a cap and never end.

    Each is drawn between half and all of its length, so that sessions which lost their connection
    together do not come back together.
    """

    def __init__(self, cap: float = CAP_SECONDS) -> None:
        """Begins with the shortest wait.

        Args:
            cap: the longest wait, seconds.
        """
        self._cap = cap
        self.reset()

    def reset(self) -> None:
        """Begins again with the shortest wait."""
        self._next = min(FIRST_SECONDS, self._cap)

    def seconds(self) -> float:
        """The next wait."""
        current, self._next = self._next, min(self._cap, self._next * 2)
        return current * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
