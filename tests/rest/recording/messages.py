"""The chapters about messages: sending, and what is done to what was sent."""

from tests.rest.recording.story import ADA, BEN, SALES, Story, jid
from tests.support.stack import eventually

KEY = {"idempotency-key": "order-1043-shipped"}


def sending(story: Story) -> None:
    """Every type of message, and every way to send one."""
    send = story.take_send
    hello = {"type": "text", "text": "Hello Ada, your order 1042 has left our house."}
    story.greeting = send("A text", hello)["waMessageId"]
    said = story.stack.says(ADA, jid(SALES), "Great! When will it be here?")
    story.await_stored(ADA, lambda message: message["waMessageId"] == said)
    send("A reply", {"type": "text", "text": "Tomorrow before noon.", "replyTo": said})
    mention = {"type": "text", "text": f"@{BEN} will bring it.", "mentions": [jid(BEN)]}
    send("A mention", mention)
    poll = {
        "type": "poll",
        "name": "When shall we come?",
        "options": ["In the morning", "In the evening"],
        "selectableCount": 1,
    }
    story.poll = send("A poll", poll)["waMessageId"]
    send("A place", {"type": "location", "latitude": -6.1754, "longitude": 106.8272, "name": "Our shop"})
    send("A contact", {"type": "contact", "contact": {"name": "Ben", "phone": "+62 812 0000 002"}})
    again = {"type": "text", "text": "Your order 1043 has left."}
    send("A text, safe to repeat", again, headers=KEY)
    send("The same once more", again, headers=KEY)
    later = {"to": jid(BEN), "type": "text", "text": "Hello Ben"}
    send("A text, without waiting", later, 202, fields={"async": True})
    eventually(lambda: story.stack.heard(BEN), "Ben hears")


def acting(story: Story) -> None:
    """Edits, reactions, votes, forwards, deletions."""
    take, chat, on_poll = story.take, jid(ADA), story.on(story.poll)
    on_greeting = story.on(story.greeting)
    better = {"chat": chat, "text": "Hello Ada, your order 1042 is on its way."}
    take("editMessage", "Another text", fields=on_greeting, body=better)
    take("addReaction", "A thumb", fields=on_greeting, body={"chat": chat, "emoji": "👍"})
    take("removeReaction", "Take it back", fields=on_greeting, body={"chat": chat})
    take("voteMessage", "One option", fields=on_poll, body={"chat": chat, "options": ["In the morning"]})
    take("voteMessage", "Take the vote back", fields=on_poll, body={"chat": chat, "options": []})
    take("voteMessage", "No option of it", 400, fields=on_poll, body={"chat": chat, "options": ["Perhaps"]})
    take("forwardMessage", "To somebody else", fields=on_greeting, body={"chat": chat, "to": jid(BEN)})
    wrong = story.send(jid(BEN), "Wrong window, sorry.")
    take("revokeMessage", "One's own", fields=story.on(wrong), body={"chat": jid(BEN), "sender": ""})
    take("editMessage", "No such message", 404, fields=story.on("3EB0C0FFEEC0FFEEC0FFEE"), body=better)
    take("editMessage", "Not a text", 400, fields=on_poll, body=better)
