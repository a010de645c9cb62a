"""Nothing is lost: whatever a person's client shows as delivered is stored and logged, through `kill -9`.

Persons write to a session and the session writes to others, while its node is killed at random moments. Who
writes is not written to: the client library loses messages when two write to each other in the same instant
(docs/decisions/0006).
"""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest

from examples.python.follow_with_grpc import follow
from tests.support.receiver import Receiver, receiving_aside
from tests.support.sse import frames
from tests.support.stack import Stack, eventually

OLDEST = "evt_" + "0" * 26
DELIVERED = {"delivered", "inactive"}
"""What the receipts say that tell of a delivery: a client that nobody looks at says the latter."""
END = "the end"
REFUSED = re.compile(r"Dropping retry request from (\w+)")
STARTED = 0.8
"""Part of the nodes that may start before they are killed."""
QUIET = 60.0
"""Seconds without a delivery after which there will be none."""
WRITERS = 3
READERS = 2
AHEAD = 40
"""Messages of one person that may be on their way."""
KEPT = 200
"""How far a person may write beyond a message that is not delivered: a client keeps the last 256 that it has
sent, and cannot send older ones once more."""


@dataclass
class Traffic:
    """What was said so far.

    Attributes:
        said: ids of what each person wrote, by their number.
        talking: set while everybody may talk.
        stop: set when everybody is to be silent for ever.
        accepted: texts that the gateway took to send later, by who they are for.
    """

    stack: Stack
    session: str
    account: str
    writers: list[str]
    readers: list[str]
    said: dict[str, list[str]] = field(default_factory=dict)
    accepted: dict[str, list[str]] = field(default_factory=dict)
    talking: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.said = {number: [] for number in self.writers}
        self.accepted = {number: [] for number in self.readers}

    def missing(self, number: str) -> list[int]:
        """Which of the messages that a person wrote their client does not show as delivered so far."""
        answer = self.stack.sandbox.get(f"/contacts/{number}/receipts")
        answer.raise_for_status()
        told = {i for receipt in answer.json() if receipt["type"] in DELIVERED for i in receipt["ids"]}
        told |= self.refused()
        return [place for place, message in enumerate(self.said[number]) if message not in told]

    def refused(self) -> set[str]:
        """What the persons' clients send no more: nodes asked for it ten times, and died each time."""
        return set(REFUSED.findall((self.stack.data_dir / "sandbox" / "people.log").read_text()))

    def undelivered(self) -> set[str]:
        """What persons see as not delivered in the end: once nothing has been delivered for a minute."""
        missing: set[str] = set()
        since = time.monotonic()

        def is_over() -> bool:
            nonlocal missing, since
            now = {self.said[number][place] for number in self.writers for place in self.missing(number)}
            if now != missing:
                missing, since = now, time.monotonic()
            return not missing or time.monotonic() - since > QUIET

        eventually(is_over, "deliveries come to an end", within=600)
        return missing

    def writes(self, number: str) -> None:
        """Lets a person write, never too far ahead of what is delivered."""
        said = self.said[number]
        allowed = AHEAD
        while not self.stop.is_set():
            if len(said) >= allowed:
                eventually(
                    lambda: self.stop.is_set() or self._may_go_on(number),
                    f"what {number} wrote is delivered",
                    within=600,
                )
                allowed = len(said) + AHEAD // 2
            elif self.talking.wait(0.1):
                said.append(self.stack.says(number, self.account, f"{number} {len(said)}"))

    def _may_go_on(self, number: str) -> bool:
        missing = self.missing(number)
        return not missing or (len(missing) < AHEAD // 2 and len(self.said[number]) - missing[0] < KEPT)

    def sends(self, number: str) -> None:
        """Lets the session send to a person, by keys, through whatever happens to the node."""
        accepted = self.accepted[number]
        while not self.stop.is_set():
            if self.talking.wait(0.1):
                text = f"to {number} {len(accepted)}"
                eventually(partial(self._is_accepted, number, text), f"{text} is accepted")
                accepted.append(text)
                # Persons write more slowly than the gateway takes.
                self.stop.wait(0.05)

    def _is_accepted(self, number: str, text: str) -> bool:
        body = {"to": f"{number}@s.whatsapp.net", "type": "text", "text": text}
        try:
            answer = self.stack.rest.post(
                f"/sessions/{self.session}/messages?async=true",
                json=body,
                headers={"idempotency-key": text},
                timeout=20,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.ACCEPTED

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Keeps everybody talking."""
        with ThreadPoolExecutor(len(self.writers) + len(self.readers)) as pool:
            work: list[Future[None]] = [pool.submit(self.writes, number) for number in self.writers]
            work += [pool.submit(self.sends, number) for number in self.readers]
            try:
                yield
            finally:
                self.stop.set()
            for future in work:
                future.result()

    def await_more(self, messages: int) -> None:
        """Waits until persons wrote so many more."""
        wanted = self._written() + messages
        eventually(lambda: self._written() >= wanted, "traffic flows", within=180)

    def kill_node(self) -> None:
        """Kills the node while everybody talks; returns when the next one runs, and they are silent."""
        old = self.stack.node
        old.kill()
        eventually(lambda: self.stack.node.pid != old.pid, "the node is replaced")
        self.talking.clear()

    def _written(self) -> int:
        return sum(map(len, self.said.values()))


@dataclass
class Reader:
    """What one way out has told of the session.

    Attributes:
        seen: name and message of each of the session's events, by its id, in the order of their coming.
        again: how many came once more.
    """

    session: str
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    again: int = 0

    def take(self, event_id: str, name: str, session: str | None, payload: Mapping[str, Any]) -> bool:
        """Notes an event; returns whether it is the one that ends the test."""
        if session != self.session:
            return False
        self.again += event_id in self.seen
        self.seen.setdefault(event_id, (name, str(payload.get("waMessageId", ""))))
        return payload.get("body") == END

    def follow_stream(self, stack: Stack) -> None:
        """Reads from the oldest event to the end, over gRPC, as docs/following.md shows it."""
        saved = [OLDEST]
        key = stack.ready["apiKey"]
        with closing(follow(stack.ready["grpc"], key, lambda: saved[-1], saved.append)) as events:
            for event in events:
                if self.take(event.id, event.event, event.session, dict(event.payload)):
                    return

    def follow_page(self, stack: Stack) -> None:
        """The same by server-sent events, coming back as a browser does."""
        last = OLDEST
        while True:
            headers = {"last-event-id": last}
            with suppress(httpx.TransportError), stack.rest.stream("GET", "/events", headers=headers) as page:
                for frame in frames(page.iter_raw()) if page.status_code == httpx.codes.OK else ():
                    last = frame.id or last
                    event = frame.json if frame.event not in ("", "heartbeat") else {}
                    if event and self.take(event["id"], event["event"], event["session"], event["payload"]):
                        return
            time.sleep(1)  # the gateway restarts

    def take_posts(self, receiver: Receiver) -> bool:
        """Notes everything that a webhook's receiver has taken; returns whether the end is among it."""
        ended = False
        # First what was taken: each of those is among what was received by then.
        taken = list(receiver.taken)
        posts = {post.event_id: post.event for post in list(receiver.received)}
        self.seen.clear()
        self.again = 0
        for event_id in taken:
            event = posts[event_id]
            ended |= self.take(event_id, event["event"], event["session"], event["payload"])
        return ended


def a_webhook(stack: Stack, receiver: Receiver, session: str) -> str:
    """Has everything that happens to a session posted; returns an id behind which it must be told of all."""
    patient = {"policy": "constant", "delaySeconds": 1, "attempts": 100}
    fields = {"url": receiver.url, "sessionId": session, "events": ["*"], "retryPolicy": patient}
    stack.rest.post("/webhooks", json=fields).raise_for_status()
    with stack.rest.stream("GET", "/events") as page:
        return next(frame.id for frame in frames(page.iter_raw()) if frame.id)


@pytest.mark.parametrize(
    ("kills", "prefix"), [(5, "62815"), pytest.param(200, "62816", marks=[pytest.mark.slow])]
)
@pytest.mark.timeout(3 * 3600)  # 200 kills take forty minutes where nothing else runs
def test_what_is_delivered_is_stored_and_logged_once(
    stack: Stack, show_figures: Callable[[str], None], kills: int, prefix: str
) -> None:
    account = f"{prefix}0000000"
    session = stack.paired(account)
    writers = [f"{prefix}000000{n}" for n in range(1, 1 + WRITERS)]
    readers = [f"{prefix}000001{n}" for n in range(1, 1 + READERS)]
    for number in (*writers, *readers):
        stack.person(number, f"Person {number[-2:]}")
    with receiving_aside() as receiver:
        posted_from = a_webhook(stack, receiver, session)
        traffic = Traffic(stack, session, account, writers, readers)
        ways = {name: Reader(session) for name in ("gRPC", "SSE", "webhook")}
        undisturbed = Reader(session)
        moments = random.Random(kills)

        # Daemons: when the test fails they read on, and must not keep the run from ending.
        reading = [
            threading.Thread(target=ways["gRPC"].follow_stream, args=(stack,), daemon=True),
            threading.Thread(target=ways["SSE"].follow_page, args=(stack,), daemon=True),
        ]
        for thread in reading:
            thread.start()
        with traffic.flowing():
            for _ in range(kills):
                traffic.talking.set()
                traffic.await_more(moments.randint(1, 30))
                traffic.kill_node()
                # Some are killed while they start.
                if moments.random() > STARTED:
                    traffic.talking.set()
                    traffic.kill_node()
                stack.await_status(session, "working")
        stack.await_status(session, "working")
        undelivered = traffic.undelivered()
        refused = traffic.refused()
        traffic.said[writers[0]].append(stack.says(writers[0], account, END))
        for thread in reading:
            thread.join(300)
            assert not thread.is_alive()
        eventually(lambda: ways["webhook"].take_posts(receiver), "the webhook is told of the end", within=300)
        undisturbed.follow_stream(stack)

    said = [message for number in writers for message in traffic.said[number]]
    messages = [
        message for number in writers for message in stack.stored(session, f"{number}@s.whatsapp.net")
    ]
    stored = Counter(message["waMessageId"] for message in messages)
    unread = {message["waMessageId"] for message in messages if message["type"] == "undecryptable"}
    logged = Counter(message for name, message in undisturbed.seen.values() if name == "message")
    heard = [(number, message["text"]) for number in readers for message in stack.heard(number)]
    kept = {
        (number, message["body"])
        for number in readers
        for message in stack.stored(session, f"{number}@s.whatsapp.net")
    }
    # A webhook is told of what happens after it was made; the streams begin with the oldest event.
    expected = {name: set(undisturbed.seen) for name in ways}
    expected["webhook"] = {event_id for event_id in undisturbed.seen if event_id > posted_from}
    decrypted = sum(name == "message.decrypted" for name, _ in undisturbed.seen.values())
    delivered = [message for message in said if message not in undelivered | refused]
    counts = (
        f"{kills} kills: {len(said)} messages from persons, {len(delivered)} of them delivered, of which"
        f" not stored {sum(stored[i] == 0 for i in delivered)}, a placeholder {len(unread & set(delivered))},"
        f" not in the log {sum(logged[i] == 0 for i in delivered)}; of all stored twice"
        f" {sum(stored[i] > 1 for i in said)}, in the log twice {sum(logged[i] > 1 for i in said)},"
        f" asked for again and filled {decrypted}, never shown as delivered {len(undelivered)}, asked for"
        f" ten times and sent no more {len(refused)} (of which a placeholder {len(refused & unread)});"
        f" {len(heard)} sends heard, of which not stored {len(set(heard) - kept)};"
        f" {len(undisturbed.seen)} events, of which "
        + "; ".join(
            f"{name} missed {len(expected[name] - way.seen.keys())} and saw {way.again} again"
            for name, way in ways.items()
        )
    )
    show_figures(counts)
    assert {i: stored[i] for i in delivered if stored[i] != 1} == {}
    assert undelivered == set()
    assert unread <= refused
    assert {i: logged[i] for i in delivered if logged[i] != 1} == {}
    assert set(heard) - kept == set()
    for name, way in ways.items():
        told = [event_id for event_id in way.seen if event_id in expected[name]]
        assert told == sorted(expected[name]), name
