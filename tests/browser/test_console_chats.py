"""Chats at the console: both ways as it happens, every kind of message, every act on one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.browser.console import Console
from tests.support.stack import Stack, eventually

NUMBER = "628110000001"
ADA = "628120000001"


@pytest.fixture
def chat(console: Console, session: str, ada: str) -> Console:
    """The console with Ada's chat open."""
    console.sign_in()
    console.open_chat(session, ada)
    return console


def heard(stack: Stack, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What Ada has decrypted that fits, once she has."""
    return eventually(
        lambda: next((message for message in reversed(stack.heard(ADA)) if fits(message)), None),
        "Ada has heard it",
    )


def write(console: Console, text: str) -> None:
    console.fill("Message", text)
    console.page.get_by_label("Message", exact=True).press("Enter")
    console.message(text)


def choose(console: Console, kind: str) -> None:
    console.page.get_by_label("Kind of message").select_option(label=kind)


def test_a_first_chat_both_ways_as_it_happens(console: Console, stack: Stack, session: str) -> None:
    stack.person("628120000402", "Grace")
    console.sign_in(place=f"chats/{session}")
    console.press("New chat")
    console.fill("Phone number, or JID", "+62 812 0000 402")
    console.press("Open", console.dialog)
    console.shown("No messages yet: write the first one.")
    write(console, "Hello Grace")
    console.message("Hello Grace").get_by_text("delivered").wait_for()
    message = next(one for one in stack.heard("628120000402") if one.get("text") == "Hello Grace")
    stack.says("628120000402", NUMBER, "Hello! Who is this?")
    console.message("Hello! Who is this?")
    stack.sandbox.post(
        "/contacts/628120000402/read", json={"ids": [message["id"]], "chat": NUMBER}
    ).raise_for_status()
    console.message("Hello Grace").get_by_text("read", exact=True).wait_for()
    # the list knows too
    line = console.page.locator(".chat-list a").filter(has_text="Grace")
    line.get_by_text("1", exact=False).first.wait_for()
    console.press("Mark as read")
    line.locator(".unread").wait_for(state="detached")


def test_what_a_message_says_is_text_and_nothing_else(chat: Console, stack: Stack) -> None:
    for text in (
        "<img src=x onerror=\"document.title='taken'\"><b>bold</b>",
        "<script>document.title='taken'</script>",
        "javascript:alert(1) \u202e backwards",
        "&lt;i&gt; & \"quotes\" 'and' `ticks` ${x} {{y}}",
    ):
        stack.says(ADA, NUMBER, text)
        chat.message(text)
        assert chat.page.locator(".message .body").last.text_content() == text
    assert not chat.page.locator(".message img, .message b, .message i, .message script").count()
    assert "taken" not in chat.page.title()


@pytest.mark.usefixtures("session")
def test_every_kind_of_message_is_sent_and_heard(chat: Console, stack: Stack) -> None:
    write(chat, "a text\nof two lines")
    assert heard(stack, lambda one: one.get("text") == "a text\nof two lines")

    choose(chat, "Poll")
    chat.fill("Question", "Lunch?")
    chat.fill("Options, a line each", "Soup\nSalad\nBread")
    chat.fill("How many may be chosen", "2")
    chat.press("Send the poll")
    poll = heard(stack, lambda one: one["kind"] == "poll" and one["poll"]["name"] == "Lunch?")
    assert poll["poll"] == {"name": "Lunch?", "options": ["Soup", "Salad", "Bread"], "selectableCount": 2}

    choose(chat, "Place")
    chat.fill("Latitude", "-6,2")
    chat.fill("Longitude", "106.8")
    chat.fill("Name of the place", "Harbour")
    chat.press("Send the place")
    place = heard(stack, lambda one: one["kind"] == "location" and one["location"]["name"] == "Harbour")
    assert place["location"] == {"latitude": -6.2, "longitude": 106.8, "name": "Harbour"}
    chat.message("Harbour")

    choose(chat, "Contact card")
    chat.fill("Name", "Grace Hopper")
    chat.fill("Phone number", "+62 812 0000 402")
    chat.press("Send the contact card")
    card = heard(stack, lambda one: one["kind"] == "contact" and one["contact"]["name"] == "Grace Hopper")
    assert "628120000402" in card["contact"]["vcard"]

    choose(chat, "Vcard")
    chat.fill("Vcard", "BEGIN:VCARD\nVERSION:3.0\nFN:Alan\nTEL:+628120000403\nEND:VCARD")
    chat.press("Send the vcard")
    assert heard(stack, lambda one: one["kind"] == "contact" and one["contact"]["name"] == "Alan")

    choose(chat, "Text")
    chat.page.get_by_text("More", exact=True).click()
    chat.fill("Mention", f"+{ADA}")
    chat.fill("Message", f"@{ADA} from the outbox")
    chat.page.get_by_label("Put it into the outbox and do not wait").check()
    chat.press("Send")
    chat.page.get_by_text("It waits in the outbox").wait_for()
    mention = heard(stack, lambda one: (one.get("text") or "").endswith("from the outbox"))
    assert len(mention["mentions"]) == 1
    chat.message("from the outbox").get_by_text("delivered").wait_for()


def test_every_act_on_a_message_is_done_and_shown(chat: Console, stack: Stack, session: str) -> None:
    theirs = stack.says(ADA, NUMBER, "to be acted on")
    chat.act("to be acted on", "React with 👍")
    assert heard(stack, lambda one: one["kind"] == "reaction")["reaction"]["target"] == theirs
    chat.message("to be acted on").get_by_text("👍").first.wait_for()
    chat.act("to be acted on", "Take my reaction back")
    heard(stack, lambda one: one["kind"] == "reaction" and one["reaction"]["emoji"] == "")
    chat.message("to be acted on").locator(".reactions").wait_for(state="detached")
    chat.act("to be acted on", "Other emoji ...")
    chat.fill("Emoji", "🎉", chat.dialog)
    chat.press("React", chat.dialog)
    chat.closed()
    chat.message("to be acted on").locator(".reactions").get_by_text("🎉").wait_for()

    chat.act("to be acted on", "Reply")
    write(chat, "an answer")
    assert heard(stack, lambda one: one.get("text") == "an answer")["quoted"]["id"] == theirs
    assert "to be acted on" in chat.message("an answer").locator(".quote").inner_text()

    chat.act("an answer", "Edit ...")
    chat.fill("New text", "a better answer", chat.dialog)
    chat.press("Save", chat.dialog)
    chat.closed()
    assert heard(stack, lambda one: one["kind"] == "edit")["edit"]["text"] == "a better answer"
    chat.message("a better answer").get_by_text("edited").wait_for()

    stack.person("628120000404", "Linus")
    chat.act("to be acted on", "Forward ...")
    chat.fill("To: phone number, or JID", "628120000404", chat.dialog)
    chat.press("Forward", chat.dialog)
    chat.closed()
    eventually(
        lambda: [one for one in stack.heard("628120000404") if one.get("text") == "to be acted on"],
        "Linus has heard it",
    )

    chat.act("a better answer", "Delete for everyone ...")
    chat.press("Delete", chat.dialog)
    chat.closed()
    heard(stack, lambda one: one["kind"] == "revoke")
    chat.message("This message was deleted.")
    assert stack.rest.get(f"/sessions/{session}/chats/{ADA}@s.whatsapp.net/messages").is_success


def test_a_poll_is_voted_in_and_its_votes_are_seen(chat: Console, stack: Stack) -> None:
    choose(chat, "Poll")
    chat.fill("Question", "Tea?")
    chat.fill("Options, a line each", "Yes\nNo")
    chat.press("Send the poll")
    own = heard(stack, lambda one: one["kind"] == "poll" and one["poll"]["name"] == "Tea?")
    stack.sandbox.post(
        f"/contacts/{ADA}/messages", json={"to": NUMBER, "vote": {"target": own["id"], "options": ["Yes"]}}
    ).raise_for_status()
    chat.message("Tea?").get_by_text("1 vote", exact=True).wait_for()
    chat.act("Tea?", "Vote ...")
    chat.dialog.get_by_label("No", exact=True).check()
    chat.press("Vote", chat.dialog)
    chat.closed()
    vote = heard(stack, lambda one: one["kind"] == "vote")
    assert vote["vote"]["options"] == ["No"]

    # somebody else's poll, of which the stored copy has the question alone
    poll = {"name": "Cake?", "options": ["Big", "Small"], "selectableCount": 1}
    stack.sandbox.post(f"/contacts/{ADA}/messages", json={"to": NUMBER, "poll": poll}).raise_for_status()
    chat.act("Cake?", "Vote ...")
    chat.fill("Your choice, a line each", "Small", chat.dialog)
    chat.press("Vote", chat.dialog)
    chat.closed()
    assert heard(stack, lambda one: one["kind"] == "vote" and one["vote"]["options"] == ["Small"])


def test_what_others_do_shows_as_it_happens(chat: Console, stack: Stack) -> None:
    write(chat, "what they see")
    target = heard(stack, lambda one: one.get("text") == "what they see")["id"]

    def does(**what: object) -> None:
        stack.sandbox.post(f"/contacts/{ADA}/messages", json={"to": NUMBER, **what}).raise_for_status()

    does(reaction={"target": target, "emoji": "❤️"})
    chat.message("what they see").locator(".reactions").wait_for()
    stack.sandbox.post(f"/contacts/{ADA}/show", json={"state": "composing", "to": NUMBER}).raise_for_status()
    chat.page.get_by_text("is typing ...").wait_for()
    mistake = stack.says(ADA, NUMBER, "a mistake")
    chat.message("a mistake")
    does(edit={"target": mistake, "text": "no mistake"})
    chat.message("no mistake").get_by_text("edited").wait_for()
    does(revoke={"target": mistake})
    chat.message("This message was deleted.")


def test_nothing_is_missed_while_the_node_is_killed(chat: Console, stack: Stack) -> None:
    chat.expect("ERR_|503|Failed to load")
    stack.says(ADA, NUMBER, "before the kill")
    chat.message("before the kill")
    old = stack.node
    old.kill()
    eventually(lambda: stack.node.pid != old.pid, "another node")
    stack.says(ADA, NUMBER, "after the kill")
    chat.message("after the kill")
    chat.shown("live")
    texts = chat.page.locator(".message .body").all_text_contents()
    assert texts.count("before the kill") == texts.count("after the kill") == 1


def test_older_messages_come_when_they_are_asked_for(
    chat: Console, stack: Stack, session: str, ada: str
) -> None:
    for number in range(60):
        stack.send(session, ada, f"number {number}.").raise_for_status()
    chat.open_chat(session, "0@s.whatsapp.net")
    chat.open_chat(session, ada)
    chat.message("number 59.")
    assert not chat.page.get_by_text("number 0.", exact=True).count()
    chat.press("Older messages")
    chat.message("number 0.")
    texts = [
        text for text in chat.page.locator(".message .body").all_text_contents() if text.startswith("number ")
    ]
    assert texts == [f"number {number}." for number in range(60)]


def test_a_chat_is_pinned_archived_muted_and_deleted(console: Console, stack: Stack, session: str) -> None:
    console.expect("501|409|502")
    jid = stack.person("628120000405", "Barbara")
    stack.send(session, jid, "to be managed").raise_for_status()
    console.sign_in()
    console.open_chat(session, jid)
    console.message("to be managed")
    line = (
        console.page.locator(".chat-list a")
        .filter(has_text="Barbara")
        .or_(console.page.locator(".chat-list a").filter(has_text="+628120000405"))
    )
    console.page.get_by_text("Manage", exact=True).click()
    for action, mark in (("Archive", "archived"), ("Mute 8 h", "muted"), ("Pin", "pinned")):
        console.press(action)
        line.get_by_text(mark).wait_for()
    console.press("Unpin")
    line.get_by_text("pinned").wait_for(state="detached")
    console.press("Delete ...")
    console.press("Delete", console.dialog)
    console.closed()
    line.wait_for(state="detached")


def lost(route: Route) -> None:
    """The request reaches the gateway, and its answer nobody."""
    route.fetch()
    route.abort()


def test_a_send_whose_answer_was_lost_is_sent_once(chat: Console, stack: Stack) -> None:
    chat.expect("ERR_FAILED")
    sends = "**/api/v1/sessions/*/messages"
    chat.page.route(sends, lost, times=1)
    chat.fill("Message", "only once")
    chat.press("Send")
    chat.page.get_by_text("The gateway does not answer").wait_for()
    chat.press("Send")
    eventually(lambda: chat.page.get_by_label("Message", exact=True).input_value() == "", "it is taken")
    chat.message("only once")
    # what was changed meanwhile is another message
    chat.page.route(sends, lost, times=1)
    chat.fill("Message", "as it was")
    chat.press("Send")
    chat.page.get_by_text("The gateway does not answer").wait_for()
    write(chat, "as it is now")
    heard(stack, lambda one: one.get("text") == "as it is now")
    texts = [one.get("text") for one in stack.heard(ADA)]
    assert (texts.count("only once"), texts.count("as it was")) == (1, 1)
