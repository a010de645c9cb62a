"""The sandbox's page in a real browser: phones, people, chats and faults, beside the gateway."""

import base64
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.support.stack import Stack, eventually

PATIENCE = 60_000  # milliseconds, because the machine may be busy
READ = 3  # the `ackLevel` of a message that was read
SHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
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


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said that is no mere note; a test that provokes something clears it."""
    return []


@pytest.fixture
def open_view(browser: Browser, stack: Stack, complaints: list[str]) -> Iterator[Opener]:
    """Opens the page in a window of its own, which must not complain."""
    contexts: list[BrowserContext] = []

    def listened(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def opener(size: tuple[int, int] = WIDE, scheme: Any = "light", at: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listened)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(at or f"{stack.ready['http']}/sandbox/")
        page.locator("#fault-kinds .fault").first.wait_for(state="attached")
        return page

    expect.set_options(timeout=PATIENCE)
    yield opener
    for context in contexts:
        context.close()
    stack.clear_faults()
    assert complaints == []


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


@pytest.fixture(scope="module")
def linked(stack: Stack) -> str:
    """A session that works with a phone, for tests that are about something else."""
    return stack.paired("628110000201")


@pytest.fixture(scope="module")
def eva(stack: Stack) -> str:
    """A person with a chat."""
    stack.person("628120000201", "Eva")
    return "628120000201"


def open_chat(page: Page, person: str, chat: str) -> None:
    page.locator(f'[data-key="person-{person}"]').click()
    page.locator(f'[data-key="chat-{chat}"]').click()


def test_the_first_ten_minutes_need_no_telephone(open_view: Opener, stack: Stack) -> None:
    page = open_view()
    card = add_phone(page, "628110000101")
    session = new_session(stack)
    code, expires = code_of(stack, session)

    # the console, in another window of the same browser
    console = page.context.new_page()
    console.goto(f"{stack.ready['http']}/sandbox/view/icon.svg")
    console.evaluate(SHOW_A_CODE, [session, code, expires])
    card.get_by_role("button", name="Scan a code").click()
    offered = page.get_by_role("dialog").locator(".code")
    expect(offered).to_contain_text("first")
    expect(offered).to_contain_text(session)
    offered.get_by_role("button", name="Scan").click()
    expect(card.locator(".devices")).to_contain_text("online")
    stack.await_status(session, "working")

    # both ways
    add_person(page, "628120000101", "Ada")
    page.locator('[data-key="chat-628110000101@s.whatsapp.net"]').click()
    mine = write(page, "Hello from Ada")
    expect(mine).to_contain_text("delivered")
    chat = "628120000101@s.whatsapp.net"
    eventually(lambda: [m["body"] for m in stack.stored(session, chat)] == ["Hello from Ada"], "it is stored")
    sent = stack.send(session, chat, "Hello Ada").json()
    heard = page.locator(".message:not(.mine)", has_text="Hello Ada")
    expect(heard).to_be_visible()
    page.get_by_role("button", name="Mark as read").click()
    eventually(lambda: stack.stored(session, chat)[0]["ackLevel"] == READ, "the session is told")
    assert stack.stored(session, chat)[0]["waMessageId"] == sent["waMessageId"]
    expect(page.locator("#journal-list li").first).to_be_visible()
    expect(page.locator("#journal-list")).to_contain_text("Ada heard from User 0101: Hello Ada")


def test_a_code_that_is_no_longer_shown_goes(open_view: Opener, stack: Stack) -> None:
    page = open_view()
    card = add_phone(page, "628110000102")
    card.get_by_role("button", name="Scan a code").click()
    expect(page.get_by_role("dialog")).to_contain_text("None. Open the console")
    console = page.context.new_page()
    console.goto(f"{stack.ready['http']}/sandbox/view/icon.svg")
    console.evaluate(SHOW_A_CODE, ["S1", "2@nothing", 4_102_444_800_000])
    expect(page.get_by_role("dialog").locator(".code")).to_have_count(1)
    console.evaluate("window.hide()")
    expect(page.get_by_role("dialog").locator(".code")).to_have_count(0)


def test_a_code_is_pasted(open_view: Opener, stack: Stack, complaints: list[str]) -> None:
    page = open_view()
    card = add_phone(page, "628110000103")
    card.get_by_role("button", name="Scan a code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The text of a code").fill("no code")
    dialog.get_by_role("button", name="Scan this text").click()
    expect(dialog.get_by_role("alert")).to_contain_text("4 or 5 parts")
    complaints.clear()  # the browser notes the refusal itself
    session = new_session(stack)
    dialog.get_by_label("The text of a code").fill(stack.qr(session))
    dialog.get_by_role("button", name="Scan this text").click()
    expect(dialog).to_have_count(0)
    stack.await_status(session, "working")
    card.get_by_role("button", name="Unlink device 1").click()
    expect(card).to_contain_text("No device is linked yet")
    stack.await_status(session, "logged_out")


def test_a_picture_of_a_code_is_pasted(open_view: Opener, stack: Stack) -> None:
    """The tests' browser reads no codes itself, so what it would have read is put in its place."""
    session = new_session(stack)
    page = open_view()
    page.evaluate(
        "(code) => { window.BarcodeDetector = class { detect = async () => [{ rawValue: code }]; }; }",
        stack.qr(session),
    )
    card = add_phone(page, "628110000107")
    card.get_by_role("button", name="Scan a code").click()
    page.get_by_label("The text of a code").evaluate(
        """async (field) => {
            const canvas = new OffscreenCanvas(8, 8);
            canvas.getContext("2d").fillRect(0, 0, 8, 8);
            const picture = new File([await canvas.convertToBlob()], "code.png", { type: "image/png" });
            const clipboardData = new DataTransfer();
            clipboardData.items.add(picture);
            const pasted = { clipboardData, bubbles: true, cancelable: true };
            field.dispatchEvent(new ClipboardEvent("paste", pasted));
        }"""
    )
    expect(page.get_by_role("dialog")).to_have_count(0)
    stack.await_status(session, "working")


def test_a_pairing_code_is_typed(open_view: Opener, stack: Stack) -> None:
    page = open_view()
    number = "628110000104"
    card = add_phone(page, number)
    session: str = stack.rest.post("/sessions", json={"label": "typed"}).json()["id"]
    answer = stack.rest.post(f"/sessions/{session}/pairing-code", json={"phone": number})
    card.get_by_role("button", name="Type a pairing code").click()
    fill_and_send(page, "Link", **{"Pairing code": answer.json()["code"]})
    stack.await_status(session, "working")


def test_everything_that_people_say_can_be_said(
    open_view: Opener, stack: Stack, linked: str, eva: str
) -> None:
    page = open_view()
    open_chat(page, eva, "628110000201@s.whatsapp.net")
    compose = page.locator(".compose")
    for kind, words in (("Location", "Monas"), ("Contact", "Grace"), ("Poll", "When shall we meet?")):
        compose.get_by_role("button", name=kind).click()
        fill_and_send(page, "Send")
        expect(page.locator(".message.mine", has_text=words)).to_be_visible()
    stack.send(linked, f"{eva}@s.whatsapp.net", "Which day?").raise_for_status()
    asked = page.locator(".message:not(.mine)", has_text="Which day?")
    asked.get_by_role("button", name="React").click()
    fill_and_send(page, "React")
    expect(asked.locator(".reactions")).to_contain_text("Eva")
    asked.get_by_role("button", name="Reply").click()
    answer = write(page, "Tuesday")
    expect(answer.locator("blockquote")).to_contain_text("Which day?")
    answer.get_by_role("button", name="Edit").click()
    fill_and_send(page, "Edit", Text="Friday")
    edited = page.locator(".message.mine", has_text="Friday")
    expect(edited).to_contain_text("edited")
    edited.get_by_role("button", name="Delete").click()
    expect(page.locator(".message.mine").last).to_contain_text("This message was deleted.")
    poll = page.locator(".message.mine", has_text="When shall we meet?")
    poll.get_by_label("Tuesday").check()
    poll.get_by_role("button", name="Vote").click()
    expect(poll.locator(".choice", has_text="Tuesday")).to_contain_text("1 · Eva")
    told = {message["type"] for message in stack.stored(linked, f"{eva}@s.whatsapp.net")}
    assert {"text", "location", "contact", "poll"} <= told


def test_typing_and_calls_are_told(open_view: Opener, stack: Stack, linked: str, eva: str) -> None:
    page = open_view()
    open_chat(page, eva, "628110000201@s.whatsapp.net")
    page.get_by_role("button", name="Call", exact=True).click()
    ringing = page.locator(".ringing")
    expect(ringing).to_contain_text("Eva → User 0201")
    ringing.get_by_role("button", name="Take it on the phone").click()
    expect(ringing).to_contain_text("taken on the phone")
    ringing.get_by_role("button", name="End").click()
    expect(ringing).to_have_count(0)
    page.get_by_role("button", name="Show typing").click()
    assert any('"composing"' in line for line in events(stack, linked, "presence"))
    chat = f"/sessions/{linked}/chats/{eva}@s.whatsapp.net/presence"
    stack.rest.put(chat, json={"state": "composing"}).raise_for_status()
    expect(page.locator("#states")).to_contain_text("User 0201 is typing")


def test_a_group_is_made_and_changed(open_view: Opener, stack: Stack, linked: str, eva: str) -> None:
    stack.person("628120000202", "Finn", "sink")
    page = open_view()
    page.locator("#add-group").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Made by").select_option(eva)
    dialog.get_by_role("checkbox", name=re.compile("628110000201")).check()
    fill_and_send(page, "Make", Name="Climbers")
    page.get_by_role("button", name="Change Climbers").click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_role("button", name="Add members").click()
    page.get_by_role("checkbox", name="Finn").check()
    page.get_by_role("dialog").last.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_role("button", name="Make an admin Finn")).to_be_visible()
    dialog.get_by_role("button", name="Make an admin Finn").click()
    expect(dialog.get_by_role("button", name="Make a member Finn")).to_be_visible()
    dialog.get_by_role("button", name="Remove Finn").click()
    expect(dialog.locator(".row", has_text="Finn")).to_have_count(0)
    dialog.get_by_role("button", name="Close").click()
    page.locator(f'[data-key="person-{eva}"]').click()
    page.locator(".strip").get_by_role("button", name="Climbers").click()
    write(page, "Who comes along?")
    (group,) = [g for g in stack.sandbox.get("/groups").json() if g["subject"] == "Climbers"]
    eventually(lambda: stack.stored(linked, group["jid"]), "the session has heard it")


def test_a_fault_is_switched_on_and_off(open_view: Opener, stack: Stack, linked: str, eva: str) -> None:
    page = open_view()
    page.get_by_label("Whom it hits").select_option("628110000201")
    page.locator("summary", has_text="Sending").click()
    fault = page.locator('[data-kind="ack_error"]')
    fault.get_by_label("Code").fill("463")
    fault.get_by_role("button", name="Turn on").click()
    active = page.locator("#active-faults")
    expect(active).to_contain_text("On: Refuse messages")
    expect(active).to_contain_text("for User 0201 · code: 463")
    refused = stack.send(linked, f"{eva}@s.whatsapp.net", "refused")
    assert refused.is_error
    active.get_by_role("button", name="Turn off").click()
    expect(active.locator("li")).to_have_count(0)
    assert stack.sandbox.get("/faults").json() == []
    stack.send(linked, f"{eva}@s.whatsapp.net", "taken").raise_for_status()


def test_several_faults_are_turned_off_at_once(open_view: Opener, stack: Stack) -> None:
    page = open_view()
    page.get_by_label("Whom it hits").select_option("")
    page.get_by_label("How long").select_option("for 2 minutes")
    page.locator("summary", has_text="Receiving").click()
    for kind in ("duplicate", "reorder"):
        page.locator(f'[data-kind="{kind}"]').get_by_role("button", name="Turn on").click()
    expect(page.locator("#active-faults li")).to_have_count(2)
    assert all(0 < fault["seconds"] <= 120 for fault in stack.sandbox.get("/faults").json())
    page.get_by_role("button", name="Turn all off").click()
    expect(page.locator("#active-faults li")).to_have_count(0)


def test_a_person_is_taken_off_whatsapp_and_put_back(open_view: Opener, stack: Stack, eva: str) -> None:
    page = open_view()
    page.locator(f'[data-key="person-{eva}"]').click()
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Take off WhatsApp").click()
    expect(page.locator("#person-list")).to_contain_text("not on WhatsApp")
    page.get_by_role("button", name="Put on WhatsApp again").click()
    expect(page.locator("#person-list")).not_to_contain_text("not on WhatsApp")
    assert stack.sandbox.get("/faults").json() == []


def test_whatever_others_are_called_is_text(open_view: Opener, stack: Stack) -> None:
    name = '<img src=x onerror="document.title=1"> & Co'
    stack.person("628120000203", name, "sink")
    page = open_view()
    expect(page.locator("#person-list")).to_contain_text(name)
    assert page.locator("#person-list img").count() == 0


def test_among_many_people_one_is_found(open_view: Opener, stack: Stack, eva: str) -> None:
    for last in range(15):
        stack.person(f"6281200003{last:02}", f"Passer-by {last}", "sink")
    page = open_view()
    page.get_by_label("Find").fill("by 14")
    expect(page.locator("#person-list > li")).to_have_count(1)
    page.get_by_label("Find").fill("")
    page.locator(f'[data-key="person-{eva}"]').click()
    page.get_by_role("button", name="Others ...").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("With").select_option("Passer-by 14")
    dialog.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="With Passer-by 14")).to_be_visible()
    expect(write(page, "Hello stranger")).to_contain_text("sent")


def test_a_past_is_invented(open_view: Opener, stack: Stack, linked: str) -> None:
    page = open_view()
    phone_card(page, "628110000201").get_by_role("button", name="Invent a past").click()
    fill_and_send(page, "Invent", Messages="20", Chats="2")
    assert any("history.synced" in line for line in events(stack, linked, "history.synced"))


@pytest.mark.usefixtures("linked")
def test_the_phone_shows_its_chats_as_it_is_told(open_view: Opener, stack: Stack, eva: str) -> None:
    page = open_view()
    phone_card(page, "628110000201").get_by_role("button", name="Its chats").click()
    dialog = page.get_by_role("dialog")
    for act, undo in (("Archive", "Unarchive"), ("Pin", "Unpin"), ("Mute", "Unmute")):
        dialog.get_by_role("button", name=f"{act} Eva").click()
        expect(dialog.get_by_role("button", name=f"{undo} Eva")).to_be_visible()
    (chat,) = stack.sandbox.get("/phones/628110000201/chats").json()
    assert (chat["jid"], chat["archived"], chat["mutedUntil"]) == (f"{eva}@s.whatsapp.net", True, -1)


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
