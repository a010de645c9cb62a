"""Wall-clock time in the unit of the whole API."""

import time


def now_ms() -> int:
    """The current time in epoch milliseconds."""
    return time.time_ns() // 1_000_000
