"""How often a session may send: exact sliding windows over a minute and over an hour."""

from collections import deque
from collections.abc import Iterable
from typing import Final

MINUTE: Final = 60_000
"""Milliseconds."""
HOUR: Final = 3_600_000
"""Milliseconds."""


class RateWindow:
    """What a session has used of its rates. Times are epoch milliseconds; a clock set back is held."""

    def __init__(self, per_minute: int, per_hour: int, used: Iterable[int] = ()) -> None:
        """Begins with what was used before.

        Args:
            per_minute: sends in any 60 seconds; 0 means no limit.
            per_hour: sends in any 60 minutes; 0 means no limit.
            used: when the session sent, rising.
        """
        limits = ((per_minute, MINUTE), (per_hour, HOUR))
        earlier = tuple(used)
        self._windows = [_Window(limit, length, earlier) for limit, length in limits if limit]
        self._now = 0

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit: without one nothing needs to be remembered."""
        return bool(self._windows)

    def take(self, now: int, *, share: float = 1.0) -> int:
        """Uses the rate for one send, where it is not used up.

        Args:
            now: the time.
            share: the part of each limit that this kind of send may use up, 0 < share <= 1.

        Returns:
            0 where the send may go out and is counted, else how many milliseconds to wait before
            asking again makes sense.
        """
        self._now = now = max(now, self._now)
        wait = max((window.wait(now, share) for window in self._windows), default=0)
        if wait == 0:
            for window in self._windows:
                window.used.append(now)
        return wait

    def give_back(self, at: int) -> None:
        """Takes back what was used at that time, because nothing was sent for it."""
        for window in self._windows:
            if at in window.used:
                window.used.remove(at)


class _Window:
    """One limit; remembers no more sends than it allows."""

    def __init__(self, limit: int, length: int, used: Iterable[int]) -> None:
        self.used = deque(used, maxlen=limit)
        self._limit = limit
        self._length = length

    def wait(self, now: int, share: float) -> int:
        while self.used and self.used[0] <= now - self._length:
            self.used.popleft()
        allowed = max(1, int(self._limit * share))
        if len(self.used) < allowed:
            return 0
        # Free again once so many have left the window that one less than allowed stays.
        return self.used[len(self.used) - allowed] + self._length - now
