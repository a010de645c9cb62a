"""Webhooks at the console: made, delivered to, dead, driven again, changed, deleted."""

from playwright.sync_api import Locator

from tests.browser.console import Console
from tests.support.receiver import Receiver, answering, receiving_aside
from tests.support.stack import Stack, eventually

NUMBER = "628110000001"
ADA = "628120000001"


def made(console: Console, receiver: Receiver) -> None:
    console.go("Webhooks")
    console.press("New webhook")
    console.fill("Address", receiver.url, console.dialog)
    console.dialog.get_by_label("message", exact=True).check()
    console.dialog.get_by_label("Session", exact=True).select_option(label=NUMBER)
    console.fill("Secret", "a secret of the test", console.dialog)
    console.dialog.get_by_text("More", exact=True).click()
    console.fill("Further headers, a line each", "X-Shop: 1\nX-Till: two", console.dialog)
    console.fill("First wait, seconds", "1", console.dialog)
    console.fill("Attempts at most", "1", console.dialog)
    console.press("Create", console.dialog)
    console.closed()
    console.page.get_by_role("heading", name=receiver.url).wait_for()


def rows(console: Console, state: str) -> Locator:
    found = console.page.locator("tbody tr").filter(has_text=state)
    found.first.wait_for()
    return found


def test_an_event_is_delivered_dies_and_is_driven_again(
    console: Console, stack: Stack, session: str, ada: str
) -> None:
    assert session
    assert ada
    with receiving_aside() as receiver:
        console.sign_in()
        made(console, receiver)
        stack.says(ADA, NUMBER, "to the webhook")
        assert "200" in rows(console, "Delivered").first.inner_text()
        (post,) = receiver.received
        assert post.event["payload"]["body"] == "to the webhook"
        assert (post.headers["X-Shop"], post.headers["X-Till"]) == ("1", "two")
        assert len(post.headers["X-Webhook-Hmac"]) == 128

        receiver.behaves = answering(410)
        stack.says(ADA, NUMBER, "not wanted")
        dead = rows(console, "Dead")
        assert "410" in dead.first.inner_text()
        console.shown("1 dead letter")
        receiver.behaves = answering(200)
        console.press("Send again", dead.first)
        eventually(lambda: len(receiver.taken) == 2, "it is taken")
        dead.first.wait_for(state="detached")
        assert receiver.received[-1].event["payload"]["body"] == "not wanted"

        receiver.behaves = answering(400)
        for text in ("dead 1", "dead 2"):
            stack.says(ADA, NUMBER, text)
        console.shown("2 dead letters")
        console.page.get_by_label("Show", exact=True).select_option(label="Dead letters")
        eventually(lambda: console.page.locator("tbody tr").count() == 2, "the dead ones alone")
        receiver.behaves = answering(200)
        console.press("Send all again")
        eventually(lambda: len(receiver.taken) == 4, "both are taken")

        console.press("Pause")
        console.shown("Paused")
        stack.says(ADA, NUMBER, "meanwhile")
        console.press("Go on")
        eventually(lambda: len(receiver.taken) == 5, "what waited is posted")

        console.press("Change ...")
        assert console.dialog.get_by_label("Address").input_value() == receiver.url
        assert console.dialog.get_by_label("message", exact=True).is_checked()
        console.dialog.get_by_label("message", exact=True).uncheck()
        console.press("Save", console.dialog)
        console.closed()
        stack.sandbox.post(f"/contacts/{ADA}/show", json={"state": "composing", "to": NUMBER})
        eventually(lambda: receiver.received[-1].event["event"] == "presence", "other events")
        assert receiver.received[-1].headers["X-Webhook-Hmac"], "the secret is as it was"

        console.press("Delete ...")
        console.press("Delete", console.dialog)
        console.page.get_by_role("heading", name="Webhooks", exact=True).wait_for()
        assert receiver.url not in stack.rest.get("/webhooks").text


def test_what_is_wrong_is_said_at_its_field(console: Console) -> None:
    console.expect("400")
    console.sign_in(place="webhooks")
    console.press("New webhook")
    console.fill("Address", "ftp://nowhere", console.dialog)
    console.press("Create", console.dialog)
    field = console.dialog.get_by_label("Address")
    eventually(lambda: field.get_attribute("aria-invalid") == "true", "the address is refused")
    console.fill("Address", "https://shop.example/hook", console.dialog)
    console.dialog.get_by_text("More", exact=True).click()
    console.fill("Further headers, a line each", "no header", console.dialog)
    console.press("Create", console.dialog)
    headers = console.dialog.get_by_label("Further headers, a line each")
    eventually(lambda: headers.get_attribute("aria-invalid") == "true", "the header is refused")
