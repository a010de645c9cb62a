"""Fuzzed requests: each is answered in the envelope with a documented status, and no process dies."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.support.databases import NewDatabase
from tests.support.hostile import CHAT, Answer, Wire, fuzzed
from tests.support.stack import Stack, running

SEED = 20261121
CLIENTS = 4
EXPECTED = {
    0, 200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 501, 502, 503, 504,
}  # fmt: skip
"""What may come back. 0: Envoy closes a connection on which it cannot tell where a request ends."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    """A product of its own: what is made up here may stop and delete anything."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = {
        "WAGATE_SEND_TIMEOUT": "2",
        "WAGATE_RATE_PER_MIN": "0",
        "WAGATE_WEBHOOK_ALLOW_PRIVATE": "1",  # webhooks that are made up lead to this machine alone
        **new_database(),
    }
    with running(folder / "data", **settings) as product:
        yield product


@pytest.fixture(scope="module")
def existing(target: Stack) -> dict[str, str]:
    """A session that works, a message of it, and a webhook."""
    target.person(CHAT.partition("@")[0], kind="sink")
    session = target.paired("628110000001")
    sent = target.send(session, CHAT, "hello").json()
    webhook = target.rest.post("/webhooks", json={"url": "http://127.0.0.1:9/", "active": False}).json()
    return {"session": session, "mid": sent["waMessageId"], "cid": CHAT, "id": webhook["id"]}


@pytest.mark.parametrize(
    "count", [500, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_fuzzed_requests(target: Stack, existing: dict[str, str], count: int) -> None:
    node, envoy = target.node, target.envoy
    before = node.memory_info().rss
    requests = list(fuzzed(SEED + count, count, target.ready["apiKey"], existing))
    url = urlsplit(target.ready["http"])
    began = time.monotonic()

    def run(first: int) -> list[tuple[bytes, Answer, float]]:
        wire = Wire((url.hostname or "", url.port or 0))
        found = []
        for request in requests[first::CLIENTS]:
            asked = time.monotonic()
            answer = wire.ask(request, head=request.startswith(b"HEAD"))
            found.append((request, answer, time.monotonic() - asked))
        wire.close()
        return found

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = [found for part in pool.map(run, range(CLIENTS)) for found in part]

    for request, answer, _ in done:
        assert answer.status in EXPECTED, (request[:2000], answer)
        if answer.status >= 400 and not request.startswith(b"HEAD"):
            error = json.loads(answer.body)["error"]
            assert set(error) == {"code", "details", "message"}, request[:2000]
    assert node.is_running()
    assert envoy.is_running()
    assert target.rest.get("/sessions").status_code == 200
    slowest = max(seconds for _, _, seconds in done)
    grown = (node.memory_info().rss - before) / 1e6
    sys.stdout.write(
        f"\n{count} fuzzed requests in {time.monotonic() - began:.1f} s; statuses "
        f"{dict(sorted(Counter(answer.status for _, answer, _ in done).items()))}; "
        f"slowest {slowest:.2f} s; the node grew by {grown:.1f} MB\n"
    )
    # Two waits for WhatsApp, each of WAGATE_SEND_TIMEOUT, and a machine that is busy with other things.
    assert slowest < 20
