"""Processes die and come back; sessions, messages and callers get over it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations

import httpx
import psutil
import pytest

from tests.support.stack import Stack, eventually

ROUNDS = 10


def is_replaced(stack: Stack, name: str, old: int) -> bool:
    process: psutil.Process = getattr(stack, name)
    return process.pid != old


def sent_since(told: dict[str, list[int]], count: int) -> bool:
    return any(codes == [200] for codes in list(told.values())[count:])


def test_the_node_is_killed_during_traffic(stack: Stack) -> None:
    """Restarted, working without a QR, the next send arrives, nothing is stored or delivered twice."""
    # One person is written to and another one writes: with the same person on both sides the client
    # library itself can lose a message (docs/decisions/0006).
    number, person, writer = "628130000001", "628140000001", "628140000009"
    session = stack.paired(number)
    jid = stack.person(person, "Kim")
    stack.person(writer, "Jo")
    told: dict[str, list[int]] = {}
    stop = threading.Event()

    def keep_sending() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            text = f"out {count}"
            try:
                told[text] = [stack.send(session, jid, text, timeout=20).status_code]
            except httpx.TransportError:
                told[text] = [0]

    def keep_answering() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            stack.says(writer, number, f"in {count}")

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(keep_sending), pool.submit(keep_answering)]
        try:
            for _ in range(3):
                eventually(lambda: sum(codes == [200] for codes in told.values()) > 5, "traffic flows")
                old = stack.node
                old.kill()
                eventually(partial(is_replaced, stack, "node", old.pid), "the node is replaced")
                stack.await_status(session, "working")
                before = len(told)
                eventually(partial(sent_since, told, before), "sends arrive again")
        finally:
            stop.set()
        for future in work:
            future.result()

    last = stack.send(session, jid, "the last one").json()["waMessageId"]
    eventually(lambda: any(m["id"] == last for m in stack.heard(person)), "the next send arrives")
    accepted = {text for text, codes in told.items() if codes == [200]}
    # A text that the person could not decrypt at once arrives after a retry receipt.
    eventually(lambda: accepted <= {m["text"] for m in stack.heard(person)}, "all that was accepted arrives")
    heard = Counter(m["text"] for m in stack.heard(person))
    assert [text for text, times in heard.items() if times > 1] == []

    stored = stack.stored(session, jid) + stack.stored(session, f"{writer}@s.whatsapp.net")
    twice = [
        key for key, times in Counter((m["waMessageId"], m["direction"]) for m in stored).items() if times > 1
    ]
    assert [key for key in twice if key[0]] == []
    assert accepted <= {m["body"] for m in stored if m["direction"] == "out"}


def test_whatsapp_is_silent(stack: Stack) -> None:
    """504, indeterminate, recorded as such, and never sent a second time by itself."""
    session = stack.paired("628130000002")
    jid = stack.person("628140000002", "Lee")
    stack.send(session, jid, "before").raise_for_status()
    stack.fault(kind="ack_drop", number="628130000002", count=1)
    try:
        answer = stack.send(session, jid, "into silence")
    finally:
        stack.clear_faults()
    assert answer.status_code == httpx.codes.GATEWAY_TIMEOUT
    assert answer.json()["error"]["code"] == "timeout"
    assert answer.json()["error"]["details"] == {"outcome": "indeterminate"}

    data = stack.rest.get(f"/sessions/{session}/chats/{jid}/messages").json()["data"]
    assert [(m["body"], m["error"]) for m in data] == [("into silence", "indeterminate"), ("before", None)]

    # The client library sends nothing more on that connection: the node makes another one.
    def goes_on() -> str | None:
        again = stack.send(session, jid, "after")
        return str(again.json()["waMessageId"]) if again.status_code == httpx.codes.OK else None

    after = eventually(goes_on, "sends go on")
    eventually(lambda: any(m["id"] == after for m in stack.heard("628140000002")), "the next one arrives")
    assert Counter(m["text"] for m in stack.heard("628140000002"))["into silence"] <= 1


def test_many_sessions_start_and_stop_at_once(stack: Stack) -> None:
    """Twenty sessions, ten rounds, sends in flight on others: no process dies."""
    jid = stack.person("628140000003", kind="sink")
    steady = [stack.paired(f"62813100000{n}") for n in range(2)]
    with ThreadPoolExecutor(4) as pool:
        sessions = list(pool.map(stack.paired, (f"6281320000{n:02d}" for n in range(20))))
    node = stack.node.pid
    stop = threading.Event()
    outcomes: Counter[int] = Counter()

    def keep_sending(session: str) -> None:
        while not stop.is_set():
            outcomes[stack.send(session, jid, "steady").status_code] += 1

    def turn(session: str, round_number: int, index: int) -> None:
        verb = ("stop", "restart", "start")[(round_number + index) % 3]
        stack.rest.post(f"/sessions/{session}:{verb}").raise_for_status()
        if verb == "stop":
            stack.rest.post(f"/sessions/{session}:start").raise_for_status()

    with ThreadPoolExecutor(24) as pool:
        senders = [pool.submit(keep_sending, session) for session in steady]
        try:
            for number in range(ROUNDS):
                turns = [pool.submit(turn, s, number, i) for i, s in enumerate(sessions)]
                for future in turns:
                    future.result()
        finally:
            stop.set()
        for future in senders:
            future.result()
    for session in sessions:
        stack.await_status(session, "working")
    assert stack.node.pid == node
    assert set(outcomes) == {200}
    for session in sessions:
        stack.rest.delete(f"/sessions/{session}").raise_for_status()


def test_abandoned_pairings_leave_nothing(stack: Stack) -> None:
    """Thirty pairings begun and abandoned: threads and memory are back where they were."""
    session = stack.rest.post("/sessions", json={}).json()["id"]
    node = stack.node

    def pair_and_abandon() -> None:
        stack.qr(session)
        stack.rest.post(f"/sessions/{session}:stop").raise_for_status()

    for _ in range(3):
        pair_and_abandon()  # what is made once is made now
    threads, memory = node.num_threads(), node.memory_info().rss
    for _ in range(30):
        pair_and_abandon()
    eventually(lambda: node.num_threads() <= threads, "the threads are gone")
    assert node.memory_info().rss < memory + 3_000_000
    assert psutil.Process(node.pid).children(recursive=True) == []


PARTS = ("envoy", "network", "node")
SHORT = (PARTS, PARTS[::-1])
"""Two orders are for every run, the others for the long one."""


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, marks=() if order in SHORT else [pytest.mark.slow])
        for order in permutations(PARTS)
    ],
    ids="-".join,
)
def test_restarts_in_any_order(stack: Stack, order: tuple[str, str, str]) -> None:
    number = f"62813300000{list(permutations(('envoy', 'network', 'node'))).index(order)}"
    session = stack.paired(number)
    jid = stack.person("628140000005", "Max")
    for name in order:
        process: psutil.Process = getattr(stack, name)
        process.kill()
        eventually(partial(is_replaced, stack, name, process.pid), f"{name} is replaced")

    def sends() -> str | None:
        try:
            answer = stack.send(session, jid, f"after {order}", timeout=20)
        except httpx.TransportError:
            return None
        return str(answer.json()["waMessageId"]) if answer.status_code == httpx.codes.OK else None

    sent = eventually(sends, "a send is accepted again")
    eventually(lambda: any(m["id"] == sent for m in stack.heard("628140000005")), "it arrives")


def test_the_node_is_down_behind_envoy(stack: Stack) -> None:
    """While no node answers, REST callers get 503 in the envelope."""
    node = stack.node
    node.suspend()
    node.kill()
    answers = []

    def answered() -> bool:
        answers.append(stack.rest.get("/sessions"))
        return answers[-1].status_code == httpx.codes.OK

    eventually(answered, "the node is back")
    refused = [a for a in answers if a.status_code != httpx.codes.OK]
    for answer in refused:
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["error"]["code"] == "unavailable"
