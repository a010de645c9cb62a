"""People, chats and faults on the sandbox's page, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.sandbox.acting import Opener, events, fill_and_send, open_chat, phone_card, write
from tests.support.stack import Stack, eventually


def test_everything_that_people_say_can_be_said(
    open_view: Opener, stack: Stack, linked: str, eva: str
) -> None:
    page = open_view()
    open_chat(page, eva, "628110000201@s.whatsapp.net")
    compose = page.locator(".compose")
    for kind, words in (("Location", "Monas"), ("Contact", "Grace"), ("Poll", "When shall we meet?")):
        said = page.locator(".message.mine", has_text=words)
        before = said.count()
        compose.get_by_role("button", name=kind).click()
        fill_and_send(page, "Send")
        expect(said).to_have_count(before + 1)
    stack.send(linked, f"{eva}@s.whatsapp.net", "Which day?").raise_for_status()
    asked = page.locator(".message:not(.mine)", has_text="Which day?")
    asked.get_by_role("button", name="React").click()
    fill_and_send(page, "React")
    expect(asked.locator(".reactions")).to_contain_text("Eva")
    asked.get_by_role("button", name="Reply").click()
    answer = write(page, "On the second one")
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
