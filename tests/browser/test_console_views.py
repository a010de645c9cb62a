"""Every view in light and dark, on a phone and on a desk: readable, without a violation, without a surprise.

`WAGATE_SCREENSHOTS=1` keeps pictures of some of them in docs/screenshots/.
"""

import base64
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.console import Console
from tests.support.stack import Stack

SHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}
LARGEST = 100_000
"""Bytes of a kept picture."""
DESK, PHONE = (1440, 900), (360, 740)

Scheme = Literal["light", "dark"]
Look = tuple[tuple[int, int], Scheme]
LOOKS: list[Look] = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
KEPT = {
    ("sign in", DESK, "light"),
    ("sessions", DESK, "light"),
    ("linking a phone", DESK, "light"),
    ("chat", DESK, "light"),
    ("chat", DESK, "dark"),
    ("chat", PHONE, "light"),
    ("sessions", PHONE, "dark"),
    ("webhook", DESK, "light"),
    ("events", DESK, "dark"),
    ("keys", DESK, "light"),
}


@pytest.fixture(scope="module")
def furnished(stack: Stack, session: str, ada: str) -> Iterator[dict[str, str]]:
    """A product in which there is something to see."""
    for text in ("Good morning!", "Do you still have the blue one?"):
        stack.says("628120000001", "628110000001", text)
    stack.send(session, ada, "Yes, two of them. Shall I keep one for you?").raise_for_status()
    poll = {"to": ada, "type": "poll", "name": "When do you come by?", "options": ["Today", "Tomorrow"]}
    stack.rest.post(f"/sessions/{session}/messages", json=poll).raise_for_status()
    place = {"to": ada, "type": "location", "latitude": -6.2, "longitude": 106.8, "name": "The shop"}
    stack.rest.post(f"/sessions/{session}/messages", json=place).raise_for_status()
    theirs = stack.says("628120000001", "628110000001", "Yes please, tomorrow at ten.")
    act = {"to": "628110000001", "reaction": {"target": theirs, "emoji": "👍"}}
    stack.sandbox.post("/contacts/628120000001/messages", json=act).raise_for_status()
    for number, name in (("628120000411", "Margaret"), ("628120000412", "Dennis")):
        stack.person(number, name)
        stack.says(number, "628110000001", "Hello, are you open today?")
    webhook = {"url": "http://127.0.0.1:9/hook", "events": ["message"]}
    hook: str = stack.rest.post("/webhooks", json=webhook).json()["id"]
    stack.says("628120000001", "628110000001", "And thank you!")
    unpaired: str = stack.rest.post("/sessions", json={"label": "Second shop"}).json()["id"]
    yield {"session": session, "ada": ada, "webhook": hook, "unpaired": unpaired}
    stack.rest.delete(f"/webhooks/{hook}").raise_for_status()
    stack.rest.delete(f"/sessions/{unpaired}").raise_for_status()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0][0]}-{look[1]}")
def looking(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[tuple[Console, Look]]:
    (width, height), scheme = look = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    console = Console(context.new_page(), stack)
    yield console, look
    context.close()
    assert not console.unexpected


def keep(page: Page, picture: Path) -> None:
    """Writes a picture of what is shown; Playwright by itself makes none of the smaller kind."""
    devtools = page.context.new_cdp_session(page)
    taken = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 85})
    picture.write_bytes(base64.b64decode(taken["data"]))
    assert picture.stat().st_size < LARGEST


def examine(console: Console, view: str, look: Look) -> list[str]:
    """What is wrong with what is shown; keeps a picture of it where that is asked for."""
    page, (size, scheme) = console.page, look
    page.evaluate("document.fonts.ready")
    if "axe" not in page.evaluate("Object.keys(window)"):
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    wrong = [
        f"{view}, {size[0]} {scheme}: {one['id']} ({one['help']}): {node['html']}: {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    if wide > size[0]:
        wrong.append(f"{view}, {size[0]} {scheme}: it is {wide} pixels wide")
    if (view, size, scheme) in KEPT and os.environ.get("WAGATE_SCREENSHOTS") == "1":
        SHOTS.mkdir(exist_ok=True)
        keep(page, SHOTS / f"console-{view.replace(' ', '-')}-{size[0]}-{scheme}.webp")
    return wrong


def test_every_view_is_readable_everywhere(looking: tuple[Console, Look], furnished: dict[str, str]) -> None:
    console, look = looking
    page = console.page
    wrong: list[str] = []
    console.open()
    page.get_by_label("Api-key or login token").wait_for()
    wrong += examine(console, "sign in", look)
    console.sign_in(place="sessions")
    page.locator(".card").filter(has_text="Second shop").wait_for()
    wrong += examine(console, "sessions", look)
    console.press("New session")
    wrong += examine(console, "a new session", look)
    console.press("Cancel", console.dialog)

    page.locator(".card").filter(has_text="628110000001").get_by_role("link", name="Details").click()
    console.shown("Working")
    wrong += examine(console, "session", look)
    page.evaluate("(to) => { location.hash = to; }", f"#/sessions/{furnished['unpaired']}")
    page.get_by_role("heading", name="Second shop", exact=True).wait_for()
    page.get_by_role("button", name="Show a code").or_(page.locator(".qr[data-code]")).first.wait_for()
    if page.get_by_role("button", name="Show a code").count():
        console.press("Show a code")
    page.locator(".qr[data-code]").wait_for()
    wrong += examine(console, "linking a phone", look)

    console.go("Chats")
    page.get_by_label("Session", exact=True).select_option(furnished["session"])
    page.locator(".chat-list a").filter(has_text="Ada").wait_for()
    wrong += examine(console, "chats", look)
    console.open_chat(furnished["session"], furnished["ada"])
    console.message("And thank you!")
    page.get_by_role("heading", name="Ada", exact=True).wait_for()
    wrong += examine(console, "chat", look)
    send = page.get_by_role("button", name="Send", exact=True).bounding_box()
    assert send is not None
    assert send["y"] + send["height"] <= look[0][1], "one has to scroll to send"
    console.message("Yes please").get_by_role("button", name="Actions", exact=True).click()
    page.get_by_text("Manage", exact=True).click()
    wrong += examine(console, "acting on a message", look)
    for kind in ("Poll", "Place", "Contact card", "Vcard"):
        page.get_by_label("Kind of message").select_option(label=kind)
        wrong += examine(console, f"writing: {kind}", look)

    console.go("Webhooks")
    page.locator(".card").first.wait_for()
    wrong += examine(console, "webhooks", look)
    console.press("New webhook")
    console.dialog.get_by_text("More", exact=True).click()
    wrong += examine(console, "a new webhook", look)
    console.press("Cancel", console.dialog)
    page.evaluate("(to) => { location.hash = to; }", f"#/webhooks/{furnished['webhook']}")
    page.locator("tbody tr").filter(has_text="Waiting").first.wait_for()
    wrong += examine(console, "webhook", look)

    console.stack.says("628120000001", "628110000001", "One more thing")
    console.go("Events")
    line = page.locator(".events li").filter(has_text="One more thing")
    line.wait_for()
    line.locator("summary").click()
    wrong += examine(console, "events", look)
    console.go("Keys")
    wrong += examine(console, "keys", look)
    console.press("Sign out")
    console.shown("You are signed out.")
    wrong += examine(console, "signed out", look)
    assert not wrong, "\n".join(wrong)
