"""Keys and the outbox, while the node is killed again and again."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from tests.support.stack import Stack, eventually

KILLS = 3
ADA, BOB = "628140000021", "628140000022"


def is_replaced(stack: Stack, old: int) -> bool:
    return stack.node.pid != old


def through_kills(stack: Stack, session: str, path: str, body: dict[str, Any], key: str) -> httpx.Response:
    """Repeats a call under its key until it has an answer that repeating would not change."""

    def ask() -> httpx.Response | None:
        try:
            answer = stack.rest.post(path, json=body, headers={"idempotency-key": key}, timeout=20)
        except httpx.TransportError:
            return None
        if answer.status_code in {200, 202}:
            return answer
        outcome = answer.json()["error"]["details"].get("outcome")
        return answer if answer.status_code == 409 and outcome == "indeterminate" else None

    return eventually(ask, f"{key} in session {session} has an answer")


def test_a_key_never_sends_twice_and_what_was_accepted_is_accounted_for(stack: Stack) -> None:
    session = stack.paired("628130000021")
    ada, bob = stack.person(ADA, "Ada"), stack.person(BOB, "Bob")
    path = f"/sessions/{session}/messages"
    sent: dict[str, str] = {}
    unknown: set[str] = set()
    accepted: dict[str, str] = {}
    stop = threading.Event()

    def keep_sending() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            text = f"sync {count}"
            answer = through_kills(stack, session, path, {"to": ada, "type": "text", "text": text}, text)
            if answer.status_code == 200:
                sent[text] = answer.json()["waMessageId"]
            else:
                unknown.add(text)

    def keep_queueing() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            text = f"async {count}"
            body = {"to": bob, "type": "text", "text": text}
            answer = through_kills(stack, session, f"{path}?async=true", body, text)
            accepted[text] = answer.json()["outboxId"]

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(keep_sending), pool.submit(keep_queueing)]
        try:
            for _ in range(KILLS):
                before = len(sent), len(accepted)
                eventually(
                    lambda: len(sent) > before[0] + 5 and len(accepted) > before[1] + 5,  # noqa: B023 - called at once
                    "traffic flows",
                )
                old = stack.node
                old.kill()
                eventually(partial(is_replaced, stack, old.pid), "the node is replaced")
                stack.await_status(session, "working")
        finally:
            stop.set()
        for future in work:
            future.result()

    def accounted() -> bool:
        return set(accepted) <= {message["body"] for message in stack.stored(session, bob)}

    eventually(accounted, "what became of everything accepted is stored")
    kept = {message["body"]: message for message in stack.stored(session, bob)}
    arrived = {text for text in accepted if kept[text]["error"] is None}
    assert {kept[text]["error"] for text in accepted} <= {None, "indeterminate"}
    eventually(lambda: arrived <= {m["text"] for m in stack.heard(BOB)}, "all that was sent is heard")
    eventually(lambda: set(sent) <= {m["text"] for m in stack.heard(ADA)}, "all that was sent is heard")

    for number, mine in ((ADA, set(sent) | unknown), (BOB, set(accepted))):
        heard = Counter(message["text"] for message in stack.heard(number))
        assert [text for text, times in heard.items() if times > 1] == []
        assert set(heard) <= mine
    ids = {message["text"]: message["id"] for message in stack.heard(ADA)}
    assert all(ids[text] == message_id for text, message_id in sent.items())
    # Order within the chat, of all that was heard.
    order = [int(m["text"].split()[1]) for m in stack.heard(BOB)]
    assert order == sorted(order)
