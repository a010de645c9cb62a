"""A session at the console: created, linked by either code, watched, ended."""

from tests.browser.console import Console
from tests.support.stack import Stack, eventually


def created(console: Console, name: str) -> str:
    """A new session, whose page shows a code; returns its id."""
    console.go("Sessions")
    console.press("New session")
    console.fill("Name", name)
    console.press("Create", console.dialog)
    console.closed()
    console.page.get_by_role("heading", name=name, exact=True).wait_for()
    session: str = console.page.url.rpartition("/")[2]
    return session


def shown_code(console: Console) -> str:
    """What the QR code on the page says."""
    picture = console.page.locator(".qr[data-code]")
    picture.wait_for()
    assert picture.locator("svg path").get_attribute("d")
    return picture.get_attribute("data-code") or ""


def test_a_session_is_created_scanned_stopped_started_logged_out_and_deleted(
    console: Console, stack: Stack
) -> None:
    console.sign_in()
    session = created(console, "From the console")
    console.shown("Waiting for a scan")
    code = shown_code(console)
    # the next code comes by itself
    eventually(lambda: shown_code(console) != code, "the code is renewed", within=90)
    stack.sandbox.post("/phones/628110000401/scan", json={"qr": shown_code(console)}).raise_for_status()
    console.shown("Working")
    assert not console.page.locator(".pairing").count()
    assert console.page.get_by_text("+628110000401").count()
    console.press("Stop")
    console.shown("Stopped")
    console.press("Start")
    console.shown("Working")
    console.press("Restart")
    stack.await_status(session, "working")
    console.shown("Working")
    console.press("Log out ...")
    console.press("Cancel", console.dialog)
    console.closed()
    console.press("Log out ...")
    console.press("Log out", console.dialog)
    console.closed()
    console.press("Show a code")
    assert shown_code(console)
    console.press("Delete ...")
    console.press("Delete", console.dialog)
    console.page.get_by_role("heading", name="Sessions", exact=True).wait_for()
    console.shown("The session is deleted.")
    assert stack.rest.get(f"/sessions/{session}").status_code == 404
    assert not console.page.get_by_role("heading", name="From the console").count()


def test_a_phone_is_linked_by_a_typed_code(console: Console, stack: Stack) -> None:
    console.sign_in()
    created(console, "Typed")
    shown_code(console)
    console.fill("The phone's number", "+62 811 0000 402")
    console.press("Get a code")
    code = console.page.locator("output").inner_text()
    assert len(code) == len("ABCD-1234")
    stack.sandbox.post("/phones/628110000402/code", json={"code": code}).raise_for_status()
    console.shown("Working")


def test_what_happens_elsewhere_is_seen_at_once(console: Console, stack: Stack) -> None:
    """Another client of the API, and the phone itself, change sessions that the list shows."""
    console.sign_in()
    session = stack.rest.post("/sessions", json={"label": "Elsewhere", "start": True}).json()["id"]
    card = console.page.locator(".card").filter(has_text="Elsewhere")
    card.get_by_text("Waiting for a scan").wait_for()
    stack.sandbox.post("/phones/628110000403/scan", json={"qr": stack.qr(session)}).raise_for_status()
    card.get_by_text("Working").wait_for()
    stack.sandbox.delete("/phones/628110000403/devices/1").raise_for_status()
    card.get_by_text("Logged out").wait_for()
    assert "pair the session again" in card.inner_text()


def test_what_is_refused_is_said_in_place(console: Console) -> None:
    console.expect("400")
    console.sign_in()
    created(console, "Refused")
    console.fill("The phone's number", "12")
    console.press("Get a code")
    field = console.page.get_by_label("The phone's number")
    eventually(lambda: field.get_attribute("aria-invalid") == "true", "the number is refused")
    assert field.evaluate("(field) => field === document.activeElement")
