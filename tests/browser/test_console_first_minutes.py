"""The first ten minutes, with the mouse alone: the console in one tab, the sandbox's page in the other."""

from playwright.sync_api import Page, expect

from tests.browser.console import DEADLINE_MS, Console
from tests.support.receiver import answering, receiving_aside
from tests.support.stack import Stack, eventually

PHONE, ADA = "628110000491", "628120000491"


def fill_in(page: Page, action: str, **values: str) -> None:
    """Fills a dialog of the sandbox's page in and does what it is for."""
    dialog = page.get_by_role("dialog")
    for label, value in values.items():
        dialog.get_by_label(label).fill(value)
    dialog.get_by_role("button", name=action, exact=True).click()
    expect(dialog).to_have_count(0, timeout=DEADLINE_MS)


def open_chat(sandbox: Page, jid: str) -> None:
    """Opens a chat of the chosen person, which stands among the others where there are many phones."""
    offered = sandbox.locator(f'[data-key="chat-{jid}"]')
    others = sandbox.get_by_role("button", name="Others ...")
    offered.or_(others).first.wait_for()
    if offered.count():
        offered.click()
        return
    others.click()
    dialog = sandbox.get_by_role("dialog")
    dialog.get_by_label("With").select_option(jid)
    dialog.get_by_role("button", name="Open").click()
    expect(dialog).to_have_count(0, timeout=DEADLINE_MS)


def test_from_signing_in_to_being_signed_out(console: Console, stack: Stack) -> None:
    console.expect("401")
    console.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    console.sign_in(stack.cli("keys", "create", "--label", "first minutes"))
    console.press("New session")
    console.fill("Name", "First minutes")
    console.press("Create", console.dialog)
    console.page.locator(".qr[data-code]").wait_for()

    # the phone scans it, in the other tab
    sandbox = console.page.context.new_page()
    sandbox.set_default_timeout(DEADLINE_MS)
    sandbox.goto(f"{stack.ready['http']}/sandbox/view/")
    sandbox.locator("#add-phone").click()
    fill_in(sandbox, "Add", Number=PHONE)
    phone = sandbox.locator(f'#phone-list [data-number="{PHONE}"]')
    phone.get_by_role("button", name="Scan a code").click()
    offered = sandbox.get_by_role("dialog").locator(".code").filter(has_text="First minutes")
    offered.get_by_role("button", name="Scan").click()
    console.shown("Working")

    # both ways, as it happens
    sandbox.locator("#add-person").click()
    fill_in(sandbox, "Add", Number=ADA, Name="Ada")
    open_chat(sandbox, f"{PHONE}@s.whatsapp.net")
    sandbox.get_by_label("Message from").fill("Hello, is this the shop?")
    sandbox.keyboard.press("Enter")
    console.page.get_by_role("link", name="Chats", exact=True).last.click()
    console.page.locator(".chat-list a").filter(has_text="Ada").click()
    console.message("Hello, is this the shop?")
    console.fill("Message", "It is. What can we do for you?")
    console.press("Send")
    answered = sandbox.locator(".message:not(.mine)", has_text="It is. What can we do for you?")
    answered.wait_for()
    sandbox.get_by_role("button", name="Mark as read").click()
    console.message("It is. What can we do for you?").get_by_text("read", exact=True).wait_for()

    # a webhook that does not want an event, and gets it again
    with receiving_aside() as receiver:
        receiver.behaves = answering(400)
        console.go("Webhooks")
        console.press("New webhook")
        console.fill("Address", receiver.url, console.dialog)
        console.dialog.get_by_label("message", exact=True).check()
        console.dialog.get_by_label("Session", exact=True).select_option(label="First minutes")
        console.dialog.get_by_text("More", exact=True).click()
        console.fill("Attempts at most", "1", console.dialog)
        console.press("Create", console.dialog)
        console.closed()
        console.page.get_by_role("heading", name=receiver.url).wait_for()
        sandbox.get_by_label("Message from").fill("A blue one, please.")
        sandbox.keyboard.press("Enter")
        dead = console.page.locator("tbody tr").filter(has_text="Dead")
        dead.first.wait_for()
        receiver.behaves = answering(200)
        console.press("Send again", dead.first)
        eventually(lambda: receiver.taken, "it is taken")
        assert receiver.received[-1].event["payload"]["body"] == "A blue one, please."
        console.page.locator("tbody tr").filter(has_text="Delivered").first.wait_for()
        console.press("Delete ...")
        console.press("Delete", console.dialog)
        console.closed()

    # the key is taken back
    line = next(line for line in stack.cli("keys", "list").splitlines() if "first minutes" in line)
    stack.cli("keys", "revoke", line.split()[0])
    console.page.get_by_text("You are signed out:").wait_for()
    console.page.get_by_label("Api-key or login token").wait_for()
