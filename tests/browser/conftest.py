"""A real browser, a page of one's own, and the product behind."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.console import Console
from tests.browser.site import Site
from tests.support.stack import Stack, running
from tools.browser import executable


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # As root, as in containers, it refuses its sandbox.
        opened = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A page's own server, which the gateway knows."""
    with Site() as served:
        yield served


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("browser")
    with running(
        folder / "data",
        WAGATE_CORS_ORIGINS=f"https://app.example, {site.origin}",
        # Receivers of tests are on loopback.
        WAGATE_WEBHOOK_ALLOW_PRIVATE="1",
    ) as product:
        site.gateway, site.key = product.ready["http"], product.ready["apiKey"]
        yield product


@pytest.fixture(scope="session")
def session(stack: Stack) -> str:
    """A session that works."""
    return stack.paired("628110000001")


@pytest.fixture(scope="session")
def ada(stack: Stack) -> str:
    """A person."""
    return stack.person("628120000001", "Ada")


@pytest.fixture
def page(browser: Browser, site: Site, stack: Stack) -> Iterator[Page]:  # noqa: ARG001 - the page is the product's
    """The site's page, open."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(site.origin)
    yield opened
    context.close()


@pytest.fixture
def console(browser: Browser, stack: Stack) -> Iterator[Console]:
    """The console in a tab, before anybody is signed in; the browser must have nothing to complain of."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    opened = Console(context.new_page(), stack)
    yield opened
    context.close()
    assert not opened.unexpected
