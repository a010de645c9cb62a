"""The receiver of docs/webhooks.md, at the running product."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from examples.python.webhook_receiver import is_genuine, receiver
from tests.support.databases import NewDatabase
from tests.support.stack import Stack, eventually, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    """A product whose webhooks may lead to loopback."""
    settings = {"WAGATE_WEBHOOK_ALLOW_PRIVATE": "1", **new_database()}
    with running(tmp_path_factory.mktemp("receiver") / "data", **settings) as product:
        yield product


@dataclass
class Shop:
    """Somebody who runs the example.

    Attributes:
        kept: events by their ids, in the order in which they came.
        broken: whether nothing can be kept at the moment.
    """

    url: str
    secrets: list[str]
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: bool = False

    def keep(self, event: dict[str, Any]) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.kept.setdefault(event["id"], event)

    def bodies(self) -> list[str]:
        return [event["payload"]["body"] for event in self.kept.values() if event["event"] == "message"]


@contextmanager
def shop(*secrets: str) -> Iterator[Shop]:
    """Runs the example on a free port."""
    opened = Shop("", list(secrets))
    with receiver(("127.0.0.1", 0), lambda: list(opened.secrets), opened.keep) as server:
        # What it could not keep is told by its answer; a traceback of it would be the only thing printed.
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # of this server alone
        opened.url = f"http://127.0.0.1:{server.server_port}/events"
        thread = threading.Thread(target=server.serve_forever, name="shop")
        thread.start()
        try:
            yield opened
        finally:
            server.shutdown()
            thread.join()


def webhook(stack: Stack, opened: Shop, **fields: object) -> str:
    """A webhook to a shop, that is tried again every second; returns its id."""
    patient = {"policy": "constant", "delaySeconds": 1, "attempts": 50}
    said = {"url": opened.url, "secret": opened.secrets[0], "retryPolicy": patient, **fields}
    answer = stack.rest.post("/webhooks", json=said)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    webhook_id: str = answer.json()["id"]
    return webhook_id


@pytest.mark.both_engines
def test_what_a_person_writes_arrives_also_after_trouble_and_with_another_secret(stack: Stack) -> None:
    session = stack.paired("628110000001")
    ada = stack.person("628120000001")
    number = ada.partition("@")[0]
    with shop("first") as opened:
        made = webhook(stack, opened, events=["message"], sessionId=session)
        stack.says(number, "628110000001", "one")
        eventually(lambda: opened.bodies() == ["one"], "the first message is there")
        # while the receiver cannot keep anything
        opened.broken = True
        stack.says(number, "628110000001", "two")

        def failed() -> bool:
            pending = stack.rest.get(f"/webhooks/{made}/deliveries", params={"state": "pending"}).json()
            return [delivery["lastStatus"] for delivery in pending["data"]] == [500]

        eventually(failed, "the delivery log tells of the failure")
        opened.broken = False
        eventually(lambda: opened.bodies() == ["one", "two"], "it came again")
        # while the secret is being rotated
        opened.secrets.append("second")
        stack.rest.patch(f"/webhooks/{made}", json={"secret": "second"}).raise_for_status()
        opened.secrets.remove("first")
        stack.says(number, "628110000001", "three")
        eventually(lambda: opened.bodies() == ["one", "two", "three"], "signed with the new secret")
        (event,) = (event for event in opened.kept.values() if event["payload"]["body"] == "three")
        assert (event["session"], event["payload"]["senderJid"]) == (session, ada)
        stack.rest.delete(f"/webhooks/{made}").raise_for_status()


def test_nobody_else_is_taken_for_the_gateway(stack: Stack) -> None:
    with shop("s3cret") as opened:
        webhook(stack, opened)
        body = json.dumps({"id": "evt_forged", "event": "message", "payload": {}}).encode()
        good = hmac.new(b"s3cret", body, hashlib.sha512).hexdigest()
        for headers in (
            {},
            {"X-Webhook-Hmac": ""},
            {"X-Webhook-Hmac": "0" * 128},
            {"X-Webhook-Hmac": good.upper()},
            {"X-Webhook-Hmac": hmac.new(b"other", body, hashlib.sha512).hexdigest()},
            {"X-Webhook-Hmac": hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()},
        ):
            assert httpx.post(opened.url, content=body, headers=headers).status_code == 401
        assert (
            httpx.post(opened.url, content=body + b" ", headers={"X-Webhook-Hmac": good}).status_code == 401
        )
        assert "evt_forged" not in opened.kept
        assert is_genuine("s3cret", body, good)
