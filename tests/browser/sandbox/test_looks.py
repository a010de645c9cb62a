"""The sandbox's page for everybody: keyboard, both schemes, two widths, and its pictures."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.sandbox.acting import (
    NARROW,
    SHOTS,
    WIDE,
    Opener,
    add_phone,
    keep,
    open_chat,
    phone_card,
    serious,
)
from tests.support.stack import Stack, eventually


@pytest.fixture(scope="module")
def talk(stack: Stack, linked: str, eva: str) -> None:
    """A chat with something of everything."""
    phone, chat = "628110000201", f"{eva}@s.whatsapp.net"

    def says(**message: object) -> str:
        said = stack.sandbox.post(f"/contacts/{eva}/messages", json={"to": phone, **message})
        return str(said.raise_for_status().json()["id"])

    says(text="Good morning! Is my order on its way?")
    asked = says(text="It is the one with the " + "very-" * 30 + "long name.")
    answer = (
        stack.send(linked, chat, "It leaves today, number 4711.").raise_for_status().json()["waMessageId"]
    )
    eventually(lambda: any(heard["id"] == answer for heard in stack.heard(eva)), "Eva has heard it")
    says(reaction={"target": answer, "emoji": "👍"})
    poll = says(poll={"name": "When shall it come?", "options": ["Monday", "Tuesday"]})
    says(vote={"target": poll, "options": ["Tuesday"]})
    says(location={"latitude": -6.1754, "longitude": 106.8272, "name": "Monas"})
    says(text="Then I shall wait there.", quoted={"id": answer})
    says(revoke={"target": asked})


def test_it_works_with_the_keyboard_alone(open_view: Opener, stack: Stack) -> None:
    page = open_view()
    page.locator("#add-phone").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Number").fill("628110000105")
    page.keyboard.press("Enter")
    expect(phone_card(page, "628110000105")).to_be_visible()
    expect(page.locator("#add-phone")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert stack.sandbox.get("/phones/628110000105").json()["devices"] == []


def test_it_works_at_the_sandboxs_own_port(open_view: Opener, stack: Stack) -> None:
    page = open_view(at=f"{stack.ready['sandbox']}/")
    assert page.url == f"{stack.ready['sandbox']}/view/"
    add_phone(page, "628110000106")
    expect(page.locator("#console")).to_be_hidden()


def test_an_absent_sandbox_is_said_and_waited_for(open_view: Opener, complaints: list[str]) -> None:
    page = open_view()
    page.context.set_offline(offline=True)
    expect(page.locator("#health")).to_contain_text("does not answer")
    page.context.set_offline(offline=False)
    expect(page.locator("#health")).to_contain_text("Online: ")
    complaints.clear()  # the browser notes what it could not load


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everybody_can_read_and_use_it(
    open_view: Opener, stack: Stack, eva: str, size: tuple[int, int], scheme: str
) -> None:
    """At any width and in the dark; `WAGATE_SCREENSHOTS=1` keeps pictures in docs/screenshots/."""
    stack.fault(kind="ack_delay", number="628110000201", delay=2)
    page = open_view(size, scheme)
    narrow = size is NARROW
    for part in ("Phones", "People", "Chat", "Faults", "Journal"):
        if narrow:
            page.locator("#tabs").get_by_role("button", name=part).click()
        if part == "People":
            open_chat(page, eva, "628110000201@s.whatsapp.net")
            page.locator(".message").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == size[0], part
        assert serious(page) == [], part
        if part == "Chat" and os.environ.get("WAGATE_SCREENSHOTS"):
            keep(page, SHOTS / f"sandbox-{size[0]}-{scheme}.webp")
    if narrow:
        page.locator("#tabs").get_by_role("button", name="Phones").click()
    for opener in ("Scan a code", "Invent a past"):
        phone_card(page, "628110000201").get_by_role("button", name=opener).click()
        assert serious(page) == [], opener
        page.keyboard.press("Escape")
