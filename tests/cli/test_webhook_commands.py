"""`wagate webhooks`: from making one to a dead letter that is driven again, and a receiver to try it with."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path

import httpx
import pytest

from tests.cli.shell import Shell
from tests.support.receiver import Receiver, answering, receiving_aside
from tests.support.stack import Stack, eventually, free_port


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving_aside() as running:
        yield running


def test_a_webhook_is_made_changed_and_deleted(
    stack: Stack, shell: Shell, session: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    made = shell.well(
        "webhooks", "create", "http://127.0.0.1:9/hook", "--event", "message", "--event", "poll.vote",
        "--session", "628210000001", "--secret-file", str(secret), "--header", "X-Till: 3",
        "--attempts", "3", "--delay", "1", "--policy", "linear", "--paused", "--json",
    ).json  # fmt: skip
    assert made == stack.rest.get(f"/webhooks/{made['id']}").json()
    assert (made["events"], made["sessionId"], made["active"]) == (["message", "poll.vote"], session, False)
    assert made["customHeaders"] == {"X-Till": "3"}
    assert made["retryPolicy"] == {"attempts": 3, "delaySeconds": 1, "policy": "linear"}
    assert "s3cret" not in json.dumps(made)

    changed = shell.well(
        "webhooks", "update", made["id"], "--to", "http://127.0.0.1:9/other", "--event", "*",
        "--every-session", "--active", "--attempts", "4", "--json",
    ).json  # fmt: skip
    assert (changed["url"], changed["events"]) == ("http://127.0.0.1:9/other", ["*"])
    assert (changed["sessionId"], changed["active"]) == (None, True)
    assert changed["customHeaders"] == {"X-Till": "3"}  # not named, so it stays
    assert changed["retryPolicy"] == {"attempts": 4, "delaySeconds": 1, "policy": "linear"}

    rotated = shell.well("webhooks", "update", made["id"], "--new-secret").out
    assert "its only showing" in rotated
    assert "secret" not in shell.well("webhooks", "show", made["id"]).out
    assert made["id"] in shell.well("webhooks", "list").out
    assert shell.well("webhooks", "list", "--json").json == stack.rest.get("/webhooks").json()
    assert shell.run("webhooks", "delete", made["id"]).code == 2
    shell.well("webhooks", "delete", made["id"], "--yes")
    assert stack.rest.get(f"/webhooks/{made['id']}").status_code == httpx.codes.NOT_FOUND


def test_a_dead_letter_is_found_and_driven_again(
    stack: Stack, at_work: Shell, ada: str, receiver: Receiver
) -> None:
    receiver.behaves = answering(400)
    webhook = at_work.well(
        "webhooks", "create", receiver.url, "--event", "message", "--attempts", "1", "--new-secret", "--json"
    ).json
    stack.says(ada, "628210000001", "for the dead")

    def dead() -> bool:
        return "dead" in at_work.well("webhooks", "deliveries", webhook["id"], "--state", "dead").out

    eventually(dead, "the event is a dead letter")
    shown = at_work.well("webhooks", "deliveries", webhook["id"], "--state", "dead", "--json").json
    assert shown["data"][0]["lastStatus"] == 400
    assert "dead letters" in at_work.well("webhooks", "status", webhook["id"]).out
    assert at_work.well("webhooks", "status", webhook["id"], "--json").json["dead"] >= 1

    receiver.behaves = answering(204)
    driven = at_work.well("webhooks", "redrive", webhook["id"], shown["data"][0]["id"])
    assert "1 dead letters are on their way again" in driven.out
    eventually(lambda: receiver.taken, "it is taken")
    taken = receiver.received[-1]
    expected = hmac.new(webhook["secret"].encode(), taken.body, sha512).hexdigest()
    assert {name.lower(): value for name, value in taken.headers.items()}["x-webhook-hmac"] == expected
    eventually(
        lambda: "delivered" in at_work.well("webhooks", "deliveries", webhook["id"]).out, "the log says so"
    )
    assert at_work.well("webhooks", "redrive", webhook["id"], "--json").json == {"redriven": 0}
    at_work.well("webhooks", "delete", webhook["id"], "--yes")


def test_a_receiver_of_its_own_shows_what_is_posted(stack: Stack, at_work: Shell, ada: str) -> None:
    port = str(free_port())
    words = ("webhooks", "listen", "--register", "--port", port, "--event", "message", "--count", "1")
    with at_work.starting(*words) as running:
        running.shows("leads here until then")
        assert f":{port}/" in at_work.well("webhooks", "list").out
        stack.says(ada, "628210000001", "posted to the shell")
        running.shows("signature is right")
        assert running.end() == 0
        assert "posted to the shell" in running.text
    assert f":{port}/" not in at_work.well("webhooks", "list").out


def test_a_receiver_refuses_what_is_not_genuine(shell: Shell, tmp_path: Path) -> None:
    port = free_port()
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    words = (
        "webhooks",
        "listen",
        "--port",
        str(port),
        "--secret-file",
        str(secret),
        "--answer",
        "202",
        "--json",
    )
    body = json.dumps({"id": "evt_1", "event": "message", "timestamp": 1, "payload": {}}).encode()
    good = hmac.new(b"s3cret", body, sha512).hexdigest()
    with shell.starting(*words) as running:
        running.shows("Listening at")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.post("/", content=body, headers={"X-Webhook-Hmac": good}).status_code == 202
            assert client.post("/", content=body, headers={"X-Webhook-Hmac": "00"}).status_code == 401
            assert client.post("/", content=b"no event").status_code == 401
        text = running.shows("that is no event")
        assert running.interrupt() == 130
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [(line["verdict"], line["answer"]) for line in lines] == [
        ("signature is right", 202),
        ("SIGNATURE IS WRONG", 401),
    ]


def test_a_receiver_whose_port_is_taken(stack: Stack, shell: Shell) -> None:
    refused = shell.run("webhooks", "listen", "--port", stack.ready["http"].rpartition(":")[2])
    assert (refused.code, "--port" in refused.err) == (1, True)
