"""Phones on the sandbox's page, in a real browser, beside the gateway."""

from playwright.sync_api import expect

from tests.browser.sandbox.acting import (
    READ,
    SHOW_A_CODE,
    Opener,
    add_person,
    add_phone,
    code_of,
    fill_and_send,
    new_session,
    write,
)
from tests.support.stack import Stack, eventually


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
