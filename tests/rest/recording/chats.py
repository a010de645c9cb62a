"""The chapters about the stored copy, groups and events."""

from tests.rest.recording.story import ADA, BEN, FAR, NO_SESSION, NOBODY, SALES, Story, jid
from tests.support.stack import eventually

INVITE = "Lk3QpXw9ZsT5bVn2RyJc7D"


def reading(story: Story) -> None:
    """Chats are listed, changed, read and deleted."""
    stack, take, chat = story.stack, story.take, {"session": story.session, "cid": jid(ADA)}
    stack.says(ADA, jid(SALES), "Thank you!")
    story.await_stored(ADA, lambda message: bool(message["body"] == "Thank you!"))
    eventually(lambda: all(m["ackLevel"] != 1 for m in story.stored(ADA)), "Ada's phone has told what it has")
    path = f"/sessions/{story.session}/chats/{jid(ADA)}"
    eventually(lambda: stack.rest.get(path).json()["name"] == "Ada", "Ada's name is known")
    take("getChat", "A chat", fields=chat)
    take("listChatMessages", "The newest two", fields={**chat, "limit": 2})
    take("readChat", "Nothing is unread any more", fields=chat)
    take("updateChat", "Pin it", fields=chat, body={"pinned": True})
    take("listChats", "The first page", fields={"session": story.session, "limit": 1})
    take("updateChat", "Mute it", fields=chat, body={"mutedUntil": FAR})
    take("updateChat", "End the mute", fields=chat, body={"unmute": True})
    both = {"pinned": True, "archived": True}
    take("updateChat", "Pinned in the archive", 422, fields=chat, body=both)
    take("setChatPresence", "Typing", 204, fields=chat, body={"state": "composing"})
    away = {**chat, "session": story.idle}
    take("setChatPresence", "Not connected", 501, fields=away, body={"state": "composing"})
    take("getChat", "No such chat", 404, fields={**chat, "cid": NOBODY})
    take("deleteChat", "A chat with its messages", 204, fields={**chat, "cid": jid(BEN)})


def groups(story: Story) -> None:
    """The session joins a group of Ada's."""
    stack, take, of = story.stack, story.take, {"session": story.session}
    made = stack.sandbox.post("/groups", json={"by": ADA, "subject": "Neighbours", "members": [BEN]})
    made.raise_for_status()
    code = made.json()["inviteCode"]
    story.recorder.aliases[code] = INVITE
    link = {"invite": f"https://chat.whatsapp.com/{code}"}
    take("joinGroup", "By its link", fields=of, body=link)
    take("joinGroup", "By its code", fields=of, body={"invite": code})
    unknown = {"invite": "Qw3RtYu8IoPaSdFgHjKlZx"}
    take("joinGroup", "An invite that is none", 400, fields=of, body=unknown)
    stack.fault(kind="group_refused", action="join", code=419, number=SALES)
    take("joinGroup", "The group is full", 502, fields=of, body=link)
    stack.clear_faults()
    take("joinGroup", "Not connected", 501, fields={"session": story.idle}, body=link)


def following(story: Story) -> None:
    """What has happened is told again."""
    take = story.take
    some = {"sessions": [story.session], "events": ["message", "message.status"]}
    take("createRealtimeTicket", "For some events of one session", body=some)
    take("createRealtimeTicket", "For everything", body={})
    other = {"sessions": [NO_SESSION]}
    take("createRealtimeTicket", "No such session", 404, body=other)
    story.recorder.take_stream(
        "subscribe",
        "From the oldest message",
        fields={"since": "evt_" + "0" * 26, "events": ["message"]},
        events=2,
    )
    take("subscribe", "A cursor that is none", 400, fields={"since": "evt_1042"})
    take("subscribe", "No such session", 404, fields=other)
