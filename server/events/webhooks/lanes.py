"""How many POSTs may be under way at the same time on this node."""

import asyncio

from server.store.webhook_cursors import Streak


class Lanes:
    """Two lanes, so that endpoints which hang take no places from those which do not.

    An endpoint whose last attempt failed waits for one of a quarter of all places until it takes something
    again; the others have the rest.
    """

    def __init__(self, places: int) -> None:
        """Has so many places, at least 2."""
        again = max(1, places // 4)
        self._again = asyncio.Semaphore(again)
        self._well = asyncio.Semaphore(max(1, places - again))

    def of(self, streak: Streak) -> asyncio.Semaphore:
        """The lane of an endpoint that stands like this."""
        return self._again if streak.failures else self._well
