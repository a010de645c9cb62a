"""The API reference, as somebody uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, Locator, Page

READY = ".opblock"
PATIENCE = 60_000
"""Milliseconds for anything to show, because the machine may be busy."""


@dataclass
class Reference:
    """The page, open.

    Attributes:
        complaints: what the browser said on its console, and errors of scripts.
        asked: the addresses of all requests.
    """

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def operation(self, name: str) -> Locator:
        """An operation, by its operationId; opened, with its fields ready to be filled in."""
        block = self.page.locator(f".opblock[id$='-{name}']")
        block.locator(".opblock-summary-control").click()
        block.locator(".try-out__btn").click()
        return block

    def authorize(self, key: str) -> None:
        """Gives a key, as a bearer token."""
        self.page.locator(".auth-wrapper > .authorize").click()
        box = self.page.locator(".auth-container").filter(has_text="bearer")
        box.locator("input").fill(key)
        box.locator("button.authorize").click()
        self.page.locator(".btn-done").first.click()

    def execute(self, block: Locator) -> tuple[int, str]:
        """Sends what an operation's fields say; returns status and body of what was answered."""
        block.locator(".execute").click()
        answered = block.locator(".live-responses-table .response").first
        status = answered.locator(".response-col_status").inner_text()
        body = answered.locator(".highlight-code pre").first.inner_text()
        return int(status.split()[0]), body


@contextmanager
def opened(
    browser: Browser, gateway: str, path: str = "/docs/", colours: Literal["light", "dark"] = "light"
) -> Iterator[Reference]:
    """Opens a page of the reference in a browser of its own.

    Args:
        browser: which one.
        gateway: the root's address.
        path: of the page.
        colours: what the system wants.
    """
    context = browser.new_context(color_scheme=colours)
    context.set_default_timeout(PATIENCE)
    reference = Reference(context.new_page(), gateway + path)
    reference.page.on("console", lambda message: reference.complaints.append(message.text))
    reference.page.on("pageerror", lambda error: reference.complaints.append(str(error)))
    reference.page.on("request", lambda request: reference.asked.append(request.url))
    reference.page.goto(reference.address)
    if path == "/docs/":
        reference.page.locator(READY).first.wait_for()
    yield reference
    context.close()
