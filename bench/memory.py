"""What a further session costs, and how fast a node with many comes back."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.support.stack import Stack, eventually

SESSIONS = 50


def measure(stack: Stack) -> tuple[float, float]:
    """Pairs SESSIONS sessions, then kills the node.

    Returns:
        Megabytes of resident memory per further session, and seconds from the kill until all work.
    """
    first = stack.paired("628160000099")
    # The node after a restart holds only what running sessions need, before and after alike.
    alone = _restarted(stack, [first])
    with ThreadPoolExecutor(4) as pool:
        sessions = list(pool.map(stack.paired, (f"6281600000{n:02d}" for n in range(SESSIONS))))
    began = time.monotonic()
    together = _restarted(stack, [first, *sessions])
    return (together - alone) / SESSIONS, time.monotonic() - began


def _restarted(stack: Stack, sessions: list[str]) -> float:
    old = stack.node
    old.kill()
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")

    def all_work() -> bool:
        return all(stack.status(session) == "working" for session in sessions)

    eventually(all_work, "all sessions work")
    return stack.node.memory_info().rss / 1e6
