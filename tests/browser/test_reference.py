"""The API reference in a browser: it shows everything, asks nobody else, and what it tries is done."""

import json
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.reference import opened
from tests.support import api_document
from tests.support.stack import Stack, eventually

ADA = "628120000001"
OF_THE_VIEWER = {"nested-interactive"}
"""What the viewer's own structure breaks: the line of an operation is a button with a link in it."""


def violations(page: Page) -> dict[str, list[str]]:
    """What is wrong with a page for people who cannot see it well, by rule.

    Serious things only, and not what is the viewer's own.
    """
    found = Axe().run(page).response["violations"]
    return {
        rule["id"]: sorted({f"{node['html'][:120]} {node['failureSummary']}" for node in rule["nodes"]})
        for rule in found
        if rule["impact"] in {"serious", "critical"} and rule["id"] not in OF_THE_VIEWER
    }


def fits_a_telephone(page: Page) -> bool:
    """Whether nothing has to be pushed sideways on 360 pixels."""
    before = page.viewport_size
    assert before
    page.set_viewport_size({"width": 360, "height": 740})
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= 360")
    page.set_viewport_size(before)
    return fits


def test_it_shows_every_operation_and_asks_nobody_else(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.ready["http"]) as reference:
        names = {f"-{name}" for name in api_document.operations(api_document.load())}
        shown: list[str] = reference.page.eval_on_selector_all(".opblock", "blocks => blocks.map(b => b.id)")
        assert {name[name.rindex("-") :] for name in shown} == names
        assert reference.complaints == []
        assert all(address.startswith(stack.ready["http"] + "/docs/") for address in reference.asked)
        assert fits_a_telephone(reference.page)
        kept = "[localStorage.length, sessionStorage.length, document.cookie]"
        reference.authorize(stack.ready["apiKey"])
        assert reference.page.evaluate(kept) == [0, 0, ""]


@pytest.mark.usefixtures("ada")
def test_what_is_tried_is_done(browser: Browser, stack: Stack, session: str) -> None:
    with opened(browser, stack.ready["http"]) as reference:
        reference.authorize(stack.ready["apiKey"])

        status, body = reference.execute(reference.operation("listSessions"))
        assert status == 200
        assert session in {found["id"] for found in json.loads(body)["data"]}

        sending = reference.operation("sendMessage")
        sending.locator("tr[data-param-name=session] input").fill(session)
        example = api_document.load()["paths"]["/api/v1/sessions/{session}/messages"]["post"]
        text = example["requestBody"]["content"]["application/json"]["examples"]["a-text"]["value"]["text"]
        status, body = reference.execute(sending)
        assert status == 200, body
        sent = json.loads(body)["waMessageId"]
        # a session that was given once is given everywhere
        status, body = reference.execute(reference.operation("sessionMe"))
        assert (status, json.loads(body)["sessionId"]) == (200, session)
        heard = eventually(lambda: [m for m in stack.heard(ADA) if m["id"] == sent], "Ada reads it")
        assert heard[0]["text"] == text
        assert reference.complaints == []


def test_a_body_goes_with_a_deletion(browser: Browser, stack: Stack, session: str, ada: str) -> None:
    sent = stack.send(session, ada, "to be deleted").json()["waMessageId"]
    with opened(browser, stack.ready["http"]) as reference:
        reference.authorize(stack.ready["apiKey"])
        deleting = reference.operation("revokeMessage")
        deleting.locator("tr[data-param-name=session] input").fill(session)
        deleting.locator("tr[data-param-name=mid] input").fill(sent)
        deleting.locator("textarea").fill(json.dumps({"chat": ada, "sender": ""}))
        assert reference.execute(deleting)[0] == 200


@pytest.mark.parametrize("key", ["wa_wrong", ""])
def test_without_a_good_key_the_envelope_says_so(browser: Browser, stack: Stack, key: str) -> None:
    with opened(browser, stack.ready["http"]) as reference:
        if key:
            reference.authorize(key)
        status, body = reference.execute(reference.operation("listSessions"))
        assert status == 401
        error = json.loads(body)["error"]
        assert error["code"] == "unauthorized"
        assert error["message"]


def test_a_stream_cannot_be_tried_because_it_never_ends(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.ready["http"]) as reference:
        block = reference.page.locator(".opblock[id$='-subscribe']")
        block.locator(".opblock-summary-control").click()
        block.get_by_text("From the oldest message").first.wait_for(state="attached")
        assert block.locator(".try-out__btn").count() == 0


def test_links_of_the_introduction_stay_on_the_page(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.ready["http"]) as reference:
        page = reference.page
        page.locator(".information-container a[href='#/Messages/sendMessage']").click()
        page.locator(".opblock.is-open[id$='-sendMessage']").wait_for()
        assert len(page.context.pages) == 1
        eventually(lambda: page.evaluate("scrollY"), "the operation is scrolled to")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_can_be_used_without_seeing_well(
    browser: Browser, stack: Stack, colours: Literal["light", "dark"]
) -> None:
    with opened(browser, stack.ready["http"], colours=colours) as reference:
        assert violations(reference.page) == {}
        reference.authorize(stack.ready["apiKey"])
        reference.execute(reference.operation("listSessions"))
        reference.operation("updateChat")
        reference.operation("deleteSession")
        reference.operation("sendMessage").locator(".tablinks, .tab-item button").last.click()
        assert violations(reference.page) == {}


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_grpc_page_as_well(browser: Browser, stack: Stack, colours: Literal["light", "dark"]) -> None:
    with opened(browser, stack.ready["http"], "/docs/grpc", colours) as reference:
        assert reference.page.url.endswith("/docs/grpc/")
        assert violations(reference.page) == {}
        assert fits_a_telephone(reference.page)
        reference.page.get_by_role("link", name="SendMessage", exact=True).first.click()
        assert reference.page.url.endswith("#sendmessage")
        assert reference.complaints == []
        assert all(address.startswith(stack.ready["http"] + "/docs/") for address in reference.asked)
