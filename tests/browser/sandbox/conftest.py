"""The sandbox's page, open in windows of its own, and somebody on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.sandbox.acting import PATIENCE, WIDE, Opener
from tests.support.stack import Stack


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


@pytest.fixture(scope="session")
def linked(stack: Stack) -> str:
    """A session that works with a phone, for tests that are about something else."""
    return stack.paired("628110000201")


@pytest.fixture(scope="session")
def eva(stack: Stack) -> str:
    """A person with a chat."""
    stack.person("628120000201", "Eva")
    return "628120000201"
