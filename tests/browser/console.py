"""A person at the console, in a real browser. What the browser complains of is kept, and fails the test."""

import re
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page

from tests.support.stack import Stack

DEADLINE_MS = 60_000
"""Milliseconds for anything to show: generous, because the machine may be busy."""
VIEWS = ("Sessions", "Chats", "Webhooks", "Events", "Keys")


@dataclass
class Console:
    """One tab.

    Attributes:
        complaints: errors and warnings of the page and of the browser, among them what the policy forbade.
        expected: what of these a test provokes.
    """

    page: Page
    stack: Stack
    complaints: list[str] = field(default_factory=list)
    expected: list[Pattern[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listens to complaints from the first byte on."""
        self.page.set_default_timeout(DEADLINE_MS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def expect(self, pattern: str) -> None:
        """Lets the browser complain about something that the test provokes."""
        self.expected.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        """Complaints that nobody provoked."""
        return [one for one in self.complaints if not any(known.search(one) for known in self.expected)]

    def open(self, place: str = "") -> None:
        """Opens the console, at a place such as `sessions`, before anybody is signed in."""
        self.page.goto(f"{self.stack.ready['http']}/console/" + (f"#/{place}" if place else ""))

    def sign_in(self, token: str = "", place: str = "") -> None:
        """Opens the console and signs in, with the local key where no other token is given."""
        self.open(place)
        self.page.get_by_label("Api-key or login token").fill(token or self.stack.ready["apiKey"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()
        self.shown("live")

    def shown(self, text: str) -> Locator:
        """Waits until a text is there, exactly."""
        found = self.page.get_by_text(text, exact=True).first
        found.wait_for()
        return found

    def go(self, place: str) -> None:
        """Follows the link to one of the views, and waits for its heading."""
        self.page.get_by_role("navigation", name="Console").get_by_role("link", name=place).click()
        self.page.get_by_role("heading", name=place, exact=True).first.wait_for()

    def press(self, name: str, inside: Locator | None = None) -> None:
        """Presses a button."""
        (inside or self.page).get_by_role("button", name=name, exact=True).click()

    def fill(self, label: str, text: str, inside: Locator | None = None) -> None:
        """Writes into a field."""
        (inside or self.page).get_by_label(label, exact=True).fill(text)

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        return self.page.get_by_role("dialog")

    def closed(self) -> None:
        """Waits until no dialog is open."""
        self.dialog.wait_for(state="detached")

    def open_chat(self, session: str, jid: str) -> None:
        """Opens a chat of a session, signed in."""
        self.page.evaluate("(to) => { location.hash = to; }", f"#/chats/{session}/{jid}")
        self.page.get_by_label("Message", exact=True).wait_for()

    def message(self, text: str) -> Locator:
        """The message that holds a text, once it is there."""
        said = self.page.locator(".body", has_text=text)  # and not what it quotes
        found = self.page.locator(".message").filter(has=said).last
        found.wait_for()
        return found

    def act(self, text: str, action: str) -> None:
        """Chooses one of the actions of a message."""
        message = self.message(text)
        toggle = message.get_by_role("button", name="Actions", exact=True)
        if toggle.get_attribute("aria-expanded") != "true":
            toggle.click()
        message.get_by_role("button", name=action, exact=True).click()

    def storage(self) -> dict[str, Any]:
        """Everything that the page has left in the browser."""
        kept: dict[str, Any] = self.page.evaluate(
            """async () => ({
                local: { ...localStorage },
                session: { ...sessionStorage },
                cookies: document.cookie,
                databases: (await indexedDB.databases()).length,
                caches: (await caches.keys()).length,
                address: location.href,
                history: JSON.stringify(history.state),
            })"""
        )
        return kept
