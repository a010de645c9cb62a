"""How long a dead connection goes unnoticed, with the settings that users have: `python -m bench.liveness`.

Half of the sessions' connections freeze (nothing goes either way, the sockets stay open), the others' meet
with silence (everything they send is taken and ignored). Then the way is free again.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.stack import Stack, running
from tests.support.told import telling

SESSIONS = 20
FIRST = 628_160_000_001


def main() -> None:
    """Measures in a product of its own, and prints what came out."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "liveness") as stack:
        numbers = [str(FIRST + each) for each in range(SESSIONS)]
        sessions = {stack.paired(number) for number in numbers}
        with telling(stack, ["session.status"], within=600) as events:
            for position, number in enumerate(numbers):
                stack.fault(kind="freeze" if position % 2 else "silence", number=number)
            noticed = _moves(events, sessions, "starting")
            _print("noticed after", noticed)
            stack.clear_faults()
            _print("working again after", _moves(events, sessions, "working"))
        codes = sum(_shows_code(stack, session) for session in sessions)
    print(f"{codes} of {SESSIONS} asked for a code")


def _moves(events: Iterator[dict[str, Any]], sessions: set[str], status: str) -> list[float]:
    """The seconds from now until each session has been told to stand there."""
    begun, left, seconds = time.monotonic(), set(sessions), []
    while left:
        event = next(events)
        if event["payload"]["status"] == status and event["session"] in left:
            left.remove(event["session"])
            seconds.append(time.monotonic() - begun)
    return seconds


def _shows_code(stack: Stack, session: str) -> bool:
    return stack.status(session) == "scan_qr_code"


def _print(what: str, seconds: list[float]) -> None:
    print(
        f"{len(seconds)} sessions {what} {min(seconds):.1f} s at least, "
        f"{statistics.median(seconds):.1f} s in the middle, {max(seconds):.1f} s at most"
    )


if __name__ == "__main__":
    main()
