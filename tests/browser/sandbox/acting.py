"""What a person does on the sandbox's page."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.stack import Stack

PATIENCE = 60_000  # milliseconds, because the machine may be busy
READ = 3  # the `ackLevel` of a message that was read
SHOTS = Path(__file__).parents[3] / "docs" / "screenshots"
WIDE, NARROW = (1440, 900), (360, 740)

# What a console does that shows a code: it tells of it, and again when it is asked.
SHOW_A_CODE = """([session, code, expiresAt]) => {
    const channel = new BroadcastChannel("wagate-pairing");
    const tell = () => channel.postMessage({ type: "qr", session, label: "first", code, expiresAt });
    channel.onmessage = ({ data }) => data.type === "who-shows-one" && tell();
    window.hide = () => channel.postMessage({ type: "qr-gone", session });
    tell();
}"""

Opener = Callable[..., Page]


def fill_and_send(page: Page, action: str, **values: str) -> None:
    """Fills a dialog's fields in and does what it is for; it must close."""
    dialog = page.get_by_role("dialog")
    for label, value in values.items():
        dialog.get_by_label(label).fill(value)
    dialog.get_by_role("button", name=action, exact=True).click()
    expect(dialog).to_have_count(0)


def phone_card(page: Page, number: str) -> Locator:
    return page.locator(f'#phone-list [data-number="{number}"]')


def add_phone(page: Page, number: str) -> Locator:
    page.locator("#add-phone").click()
    fill_and_send(page, "Add", Number=number)
    card = phone_card(page, number)
    expect(card).to_be_visible()
    return card


def add_person(page: Page, number: str, name: str) -> None:
    page.locator("#add-person").click()
    fill_and_send(page, "Add", Number=number, Name=name)
    expect(page.get_by_role("heading", name=f"{name}'s chats")).to_be_visible()


def new_session(stack: Stack) -> str:
    session: str = stack.rest.post("/sessions", json={"label": "first", "start": True}).json()["id"]
    return session


def code_of(stack: Stack, session: str) -> tuple[str, int]:
    stack.qr(session)
    answer = stack.rest.get(f"/sessions/{session}/qr").json()
    return answer["code"], answer["expiresAt"]


def events(stack: Stack, session: str, name: str) -> Iterator[str]:
    """What a session was told of a kind, from the beginning on, as lines of the stream of events."""
    beginning = {"since": "evt_" + "0" * 26, "events": name, "sessions": session}
    with stack.rest.stream("GET", "/events", params=beginning) as stream:
        yield from stream.iter_lines()


def write(page: Page, text: str) -> Locator:
    page.get_by_label("Message from").fill(text)
    page.keyboard.press("Enter")
    message = page.locator(".message.mine", has_text=text)
    expect(message).to_be_visible()
    return message


def open_chat(page: Page, person: str, chat: str) -> None:
    page.locator(f'[data-key="person-{person}"]').click()
    page.locator(f'[data-key="chat-{chat}"]').click()


def keep(page: Page, picture: Path) -> None:
    """Writes a picture of what is shown; Playwright by itself makes none of the smaller kind."""
    devtools = page.context.new_cdp_session(page)
    taken = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 85})
    picture.write_bytes(base64.b64decode(taken["data"]))


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'] for node in each['nodes']]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
