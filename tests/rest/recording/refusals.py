"""The chapters about what goes wrong."""

from pathlib import Path

import httpx

from tests.edge.gateway import Gateway
from tests.rest.recording.recorder import Recorder
from tests.rest.recording.story import (
    ADA,
    CAMPAIGN,
    NO_SESSION,
    NOBODY,
    RATE,
    SALES,
    SILENT,
    SINK,
    Story,
    jid,
)

HELLO = {"type": "text", "text": "Hello Ada"}
SAFELY = {"idempotency-key": "order-1046-shipped"}
HUGE = b" " * (2 * 1024 * 1024 + 1)


def refused(story: Story) -> None:
    """What the gateway refuses, in the order of its checks, and what WhatsApp does."""
    take, send = story.take, story.take_send
    take("listSessions", "No token", 401, headers={"authorization": ""}, everywhere=True)
    wrong = {"authorization": "Bearer wa_wrong"}
    take("listSessions", "A wrong token", 401, headers=wrong, everywhere=True)
    reads = {"authorization": f"Bearer {story.stack.cli('keys', 'create', '--permissions', 'read')}"}
    take("createSession", "A key that may only read", 403, body={}, headers=reads, everywhere=True)
    take("getSession", "No such session", 404, fields={"session": NO_SESSION}, everywhere=True)
    send("No text", {"type": "text"}, 400, everywhere=True)
    take("listSessions", "An unknown parameter", 400, fields={"colour": "red"}, everywhere=True)
    story.recorder.keep_error("A body over 2 MiB", story.stack.rest.post("/sessions", content=HUGE))
    send("Not connected", HELLO, 409, fields={"session": story.idle}, everywhere=True)
    send("A file", {"type": "image"}, 501, everywhere=True)
    send("Not on WhatsApp", {"to": NOBODY, **HELLO}, 502, everywhere=True)
    story.stack.fault(kind="ack_error", code=463, number=SALES)
    send("An account that may not write first", HELLO, 502, everywhere=True)
    for operation, body in story.acts_on_greeting():
        take(operation, "WhatsApp refuses", 502, fields=story.on(story.greeting), body=body)
    vote = {"chat": jid(ADA), "options": ["In the morning"]}
    take("voteMessage", "WhatsApp refuses", 502, fields=story.on(story.poll), body=vote)
    story.stack.clear_faults()


def over_the_rate(story: Story) -> None:
    """Somebody sends more than a session may."""
    campaign = story.stack.paired(CAMPAIGN)
    first = story.stack.send(campaign, jid(SINK), "hello").json()["waMessageId"]
    while story.stack.send(campaign, jid(SINK), "hello").is_success:
        assert len(story.stack.stored(campaign, jid(SINK))) <= RATE
    many = {"to": jid(SINK), "type": "text", "text": "One too many"}
    story.take_send("Over the rate", many, 429, fields={"session": campaign}, everywhere=True)
    forward, on_first = {"chat": jid(SINK), "to": jid(ADA)}, {"session": campaign, "mid": first}
    story.take("forwardMessage", "Over the rate", 429, fields=on_first, body=forward)


def without_acknowledgement(story: Story) -> None:
    """WhatsApp says nothing."""
    silent = {"session": story.stack.paired(SILENT)}
    story.stack.fault(kind="ack_drop", number=SILENT)
    left = {"type": "text", "text": "Your order 1046 has left."}
    story.take_send("No word of WhatsApp", left, 504, fields=silent, headers=SAFELY, everywhere=True)
    story.take_send("Nobody knows the outcome", left, 409, fields=silent, headers=SAFELY)
    story.stack.clear_faults()


def without_a_node(recorder: Recorder, folder: Path) -> None:
    """What the edge says in the place of a node that is away, or that does not answer."""
    for name, timeout, summary in (("away", "", "No node"), ("silent", "0.3s", "A node that is silent")):
        place = folder / name
        place.mkdir()
        with Gateway(place, rest_timeout=timeout) as gateway:
            if name == "away":
                gateway.kill_node()
            slow = {"x-test-delay": "30"}
            answer = httpx.post(f"{gateway.url}/api/v1/sessions", json={}, headers=slow, timeout=60)
            recorder.keep_error(summary, answer)
