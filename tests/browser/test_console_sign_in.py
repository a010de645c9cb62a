"""Who may in, what the page keeps, how somebody gets out; and how light the first view is."""

import json

from playwright.sync_api import CDPSession

from tests.browser.console import Console
from tests.support.stack import Stack, eventually

WEIGHT = 40_000
"""Bytes of the first view at most, as they come over the wire (the aim; 150,000 is what must hold)."""
DRAWN_MS = 1_000
BUSY = 5
"""How many times slower a busy machine may be."""


def test_the_first_view_is_light_and_drawn_at_once(console: Console) -> None:
    devtools: CDPSession = console.page.context.new_cdp_session(console.page)
    devtools.send("Network.enable")
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    hosts: set[str] = set()
    console.page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    console.open()
    console.page.get_by_label("Api-key or login token").wait_for()
    drawn: float = eventually(
        lambda: console.page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
        ),
        "the browser has painted",
    )
    told = f"first view: {sum(sizes):.0f} bytes in {len(sizes)} answers, drawn after {drawn:.0f} ms"
    print(told)  # noqa: T201 - `-s` shows it
    assert sum(sizes) < WEIGHT
    assert drawn < DRAWN_MS * BUSY
    assert hosts == {console.stack.ready["http"].removeprefix("http://")}


def test_the_token_is_in_memory_alone(console: Console) -> None:
    addresses: list[str] = []
    console.page.on("request", lambda request: addresses.append(request.url))
    console.sign_in()
    for place in ("Chats", "Webhooks", "Events", "Keys", "Sessions"):
        console.go(place)
    key = console.stack.ready["apiKey"]
    kept = console.storage()
    assert key not in json.dumps(kept)
    assert (kept["local"], kept["session"], kept["cookies"]) == ({}, {}, "")
    assert (kept["databases"], kept["caches"]) == (0, 0)
    assert not [address for address in addresses if key in address or "ticket" in address]
    assert key not in console.page.content()
    console.page.reload()
    console.page.get_by_label("Api-key or login token").wait_for()
    assert not console.page.get_by_role("button", name="Sign out").count()


def test_after_signing_in_one_is_where_the_address_leads(console: Console) -> None:
    console.sign_in(place="events")
    heading = console.page.get_by_role("heading", name="Events", exact=True)
    heading.wait_for()
    assert heading.evaluate("(heading) => heading === document.activeElement")
    assert console.page.title() == "Events - wagate console"


def test_a_wrong_token_is_refused_at_its_field(console: Console) -> None:
    console.expect("401")
    console.open()
    field = console.page.get_by_label("Api-key or login token")
    for wrong in ("wa_nothing", "eyJ.eyJ.x", "with space", "", "schlüssel"):
        field.fill(wrong)
        console.press("Sign in")
        eventually(lambda: field.get_attribute("aria-invalid") == "true", f"{wrong!r} is refused")
        told = console.page.locator(f"#{field.get_attribute('id')}-wrong").inner_text()
        assert told.endswith(".")
        assert wrong not in told or not wrong
        field.fill("again")


def test_signing_out_leaves_nothing(console: Console) -> None:
    console.sign_in()
    console.press("Sign out")
    console.shown("You are signed out.")
    assert console.page.get_by_label("Api-key or login token").input_value() == ""
    assert not console.page.get_by_role("navigation", name="Console").count()


def test_a_revoked_key_is_signed_out_with_a_word(console: Console, stack: Stack) -> None:
    """While nothing is pressed: the stream of events ends, and asking again tells why."""
    console.expect("401")
    console.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    key = stack.cli("keys", "create", "--label", "to be revoked")
    console.sign_in(key)
    console.press("New session")
    line = next(line for line in stack.cli("keys", "list").splitlines() if "to be revoked" in line)
    stack.cli("keys", "revoke", line.split()[0])
    told = console.page.get_by_text("You are signed out:")
    told.wait_for()
    assert "revoked" in told.inner_text() or "token" in told.inner_text()
    console.page.get_by_label("Api-key or login token").wait_for()
    assert not console.dialog.count()
    # and whoever has another key goes on
    console.sign_in()


def test_a_token_that_may_only_read_is_told_what_it_lacks(
    console: Console, stack: Stack, session: str, ada: str
) -> None:
    console.expect("403")
    stack.send(session, ada, "for readers").raise_for_status()
    console.sign_in(stack.cli("keys", "create", "--permissions", "read"), place="sessions")
    console.page.get_by_text("Your token may not list sessions: it lacks the capability manage").wait_for()
    console.go("Webhooks")
    console.page.get_by_role("heading", name="Webhooks").wait_for()
    console.page.get_by_text("it lacks the capability manage").wait_for()
    console.go("Chats")
    console.fill("The session's id", session)
    console.press("Open")
    console.open_chat(session, ada)
    console.message("for readers")
    console.fill("Message", "not allowed")
    console.press("Send")
    console.page.get_by_text("lacks").or_(console.page.get_by_text("send")).first.wait_for()
    console.page.locator(".composer .wrong").filter(has_text=".").first.wait_for()
    assert not console.page.locator(".message").filter(has_text="not allowed").count()


def test_the_keyboard_is_enough(console: Console) -> None:
    """From the address to a new session's form and out again, without a mouse."""
    console.open()
    keyboard = console.page.keyboard
    keyboard.type(console.stack.ready["apiKey"])  # the field has the focus
    keyboard.press("Enter")
    console.page.get_by_role("heading", name="Sessions", exact=True).wait_for()
    keyboard.press("Tab")
    assert console.page.evaluate("document.activeElement.textContent") == "New session"
    ring = console.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    keyboard.press("Enter")
    console.page.get_by_role("dialog", name="New session").wait_for()
    assert console.page.evaluate("document.activeElement.name") == "label"
    keyboard.press("Escape")
    console.closed()
    assert console.page.evaluate("document.activeElement.textContent") == "New session"
    console.page.evaluate("document.body.focus(); document.activeElement.blur()")
    console.page.evaluate("document.querySelector('.skip').focus()")
    assert console.page.locator(".skip").is_visible()
    keyboard.press("Enter")
    assert console.page.evaluate("document.activeElement.id") == "main"
    assert console.page.evaluate("location.hash") == "#/sessions"
