"""The chapters about sessions: the first, and the last."""

from tests.rest.recording.story import ADA, BEN, SALES, SINK, SUPPORT, Story, jid
from tests.support.stack import eventually


def pairing(story: Story) -> None:
    """A session is made and paired, another one only made."""
    stack, take = story.stack, story.take
    for number, name, kind in ((ADA, "Ada", "person"), (BEN, "Ben", "person"), (SINK, "Orders", "sink")):
        stack.person(number, name, kind)
    begin = {"label": "Sales", "start": True}
    story.session = take("createSession", "Begin pairing at once", 201, body=begin)["id"]
    story.idle = take("createSession", "Only create it", 201, body={"label": "Support"})["id"]
    code = stack.qr(story.session)
    take("sessionQR", "A code to scan", fields={"session": story.session})
    stack.sandbox.post(f"/phones/{SALES}/scan", json={"qr": code}).raise_for_status()
    stack.await_status(story.session, "working")
    path = f"/sessions/{story.session}"
    eventually(lambda: stack.rest.get(path).json()["waLid"], "the session knows its LID")
    take("sessionQR", "Paired already", 409, fields={"session": story.session})
    take("getSession", "A session that works", fields={"session": story.session})
    take("sessionMe", "The account behind it", fields={"session": story.session})
    take("sessionMe", "Nobody has paired it", 404, fields={"session": story.idle})
    take("listSessions", "All of them", fields={"limit": 50})
    _by_code(story)


def _by_code(story: Story) -> None:
    of_idle, stop = {"session": story.idle}, f"/sessions/{story.idle}:stop"
    story.take("sessionPairingCode", "A code to type", fields=of_idle, body={"phone": SUPPORT})
    story.stack.rest.post(stop).raise_for_status()
    paired = {"session": story.session}
    story.take("sessionPairingCode", "Paired already", 400, fields=paired, body={"phone": SALES})
    story.take("sessionPairingCode", "No such number", 502, fields=of_idle, body={"phone": "62814"})
    story.stack.rest.post(stop).raise_for_status()
    story.stack.await_status(story.idle, "stopped")


def ending(story: Story) -> None:
    """The session is stopped, started, unlinked and deleted."""
    stack, take, of = story.stack, story.take, {"session": story.session}
    path, times = f"/sessions/{story.session}/health", ("lastAckAt", "lastInboundAt", "lastKeepAliveAt")
    eventually(lambda: all(stack.rest.get(path).json()[name] for name in times), "signs of life")
    take("sessionHealth", "A session that works", fields=of)
    take("stopSession", "It was working", fields=of)
    for operation, body in story.acts_on_greeting():
        take(operation, "Not connected", 409, fields=story.on(story.greeting), body=body)
    vote = {"chat": jid(ADA), "options": ["In the morning"]}
    take("voteMessage", "Not connected", 409, fields=story.on(story.poll), body=vote)
    take("logoutSession", "Not connected", 409, fields=of)
    take("startSession", "A paired session", fields=of)
    stack.await_status(story.session, "working")
    take("restartSession", "A session that works", fields=of)
    stack.await_status(story.session, "working")
    take("logoutSession", "Unlink the device", fields=of)
    take("deleteSession", "A session with everything of it", 204, fields=of)
