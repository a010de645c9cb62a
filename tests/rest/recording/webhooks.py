"""The chapters about webhooks: one is made before there are events, and looked at afterwards."""

from typing import Any

from tests.rest.recording.story import SINK, Story, jid
from tests.support.receiver import answering
from tests.support.stack import eventually

PUBLIC = "https://shop.example/wagate"
"""Where the receiver would be, were it not on this machine."""


def making(story: Story) -> None:
    """A webhook that stays, and one that goes."""
    take, url = story.take, story.receiver.url
    story.recorder.aliases[url] = PUBLIC
    whole = {
        "url": url,
        "events": ["message", "message.status"],
        "secret": "use 32 random characters here",
        "customHeaders": {"X-Shop": "7"},
        "retryPolicy": {"attempts": 1, "delaySeconds": 1, "policy": "constant"},
    }
    story.webhook = take("createWebhook", "Some events, signed", 201, body=whole)["id"]
    later = {"url": url, "active": False}
    paused = {"id": take("createWebhook", "Every event, not yet", 201, body=later)["id"]}
    take("listWebhooks", "All of them")
    take("getWebhook", "A webhook", fields={"id": story.webhook})
    take("updateWebhook", "Other events", fields=paused, body={"events": ["session.status"]})
    take("updateWebhook", "An event that is none", 422, fields=paused, body={"events": ["mesage"]})
    take("createWebhook", "No url", 400, body={"events": ["*"]})
    take("deleteWebhook", "A webhook with its deliveries", 204, fields=paused)
    take("getWebhook", "No such webhook", 404, fields=paused)


def delivering(story: Story) -> None:
    """The shop refused an event, mended that, and wants it again."""
    take, of = story.take, {"id": story.webhook}
    eventually(lambda: not _deliveries(story, "pending"), "everything is delivered")
    story.receiver.behaves = answering(410)
    story.send(jid(SINK), "Your order 1044 has left.")
    eventually(lambda: _deliveries(story, "dead"), "a dead letter")
    story.receiver.behaves = answering(200)
    take("listWebhookDeliveries", "What was given up", fields={**of, "state": "dead", "limit": 1})
    taken = len(story.receiver.taken)
    story.send(jid(SINK), "Your order 1045 has left.")
    eventually(lambda: len(story.receiver.taken) > taken, "it takes events again")
    eventually(lambda: not _deliveries(story, "pending"), "and the log says so")
    take("listWebhookDeliveries", "The newest", fields={**of, "state": "delivered", "limit": 1})
    take("getWebhookStatus", "How it does", fields=of)
    dead = _deliveries(story, "dead")[-1]["id"]
    take("redriveWebhook", "This one", fields=of, body={"deliveryIds": [dead]})
    take("redriveWebhook", "All that are dead", fields=of, body={})


def _deliveries(story: Story, state: str) -> list[dict[str, Any]]:
    answer = story.stack.rest.get(f"/webhooks/{story.webhook}/deliveries", params={"state": state})
    deliveries: list[dict[str, Any]] = answer.json()["data"]
    return deliveries
