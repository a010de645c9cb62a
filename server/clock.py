"""Time: of the day, in the unit of the whole API, and elapsed."""

import time


def now_ms() -> int:
    """The current time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def elapsed_seconds() -> float:
    """Seconds since some moment; it only rises, and on Linux also while the machine is suspended."""
    boottime: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)
