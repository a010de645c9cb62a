"""Following the events, as docs/following.md shows it, while the node ends again and again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import psutil

from examples.python.follow_with_grpc import follow
from tests.support.stack import Stack, eventually

OLDEST = "evt_" + "0" * 26
END = "the end"


def accepted(stack: Stack, session: str, to: str, text: str) -> str:
    """Has a text sent later, whatever happens to the node meanwhile; returns its outbox id."""

    def ask() -> str | None:
        try:
            answer = stack.rest.post(
                f"/sessions/{session}/messages?async=true",
                json={"to": to, "type": "text", "text": text},
                headers={"idempotency-key": text},
            )
        except httpx.TransportError:
            return None
        return str(answer.json()["outboxId"]) if answer.status_code == httpx.codes.ACCEPTED else None

    return eventually(ask, f"{text} is accepted")


def replaced(stack: Stack, end: Callable[[psutil.Process], None]) -> None:
    """Ends the node and waits for the next one."""
    old = stack.node
    end(old)
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")


def test_a_reader_sees_every_event_through_kills_and_restarts(stack: Stack) -> None:
    session = stack.paired("628130000031")
    ada = stack.person("628140000031", "Ada")
    last: list[str] = []
    saved = [OLDEST]
    seen: dict[str, str] = {}

    def read(saved: list[str], seen: dict[str, str]) -> None:
        events = follow(
            stack.ready["grpc"], stack.ready["apiKey"], lambda: saved[-1], saved.append, ["message.status"]
        )
        with closing(events):
            for event in events:
                seen[event.id] = str(event.payload["outboxId"])
                if [seen[event.id]] == last:
                    return

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read, saved, seen)
        sent = [accepted(stack, session, ada, "first")]
        eventually(lambda: sent[0] in seen.values() or reading.done(), "the reader follows")
        for number, end in enumerate((psutil.Process.kill, psutil.Process.terminate, psutil.Process.kill)):
            sent += [accepted(stack, session, ada, f"{number} {n}") for n in range(3)]
            replaced(stack, end)
            sent += [accepted(stack, session, ada, f"{number} {n} after") for n in range(2)]
        last.append(accepted(stack, session, ada, END))
        reading.result(timeout=120)
    assert saved == sorted(saved)
    # A second reader, whom nothing disturbs, sees the same.
    undisturbed: dict[str, str] = {}
    read([OLDEST], undisturbed)
    assert seen == undisturbed
    assert set(seen.values()) >= {*sent, *last}
