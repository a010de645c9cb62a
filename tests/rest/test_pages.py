"""The pages of the running product, beside the API and on its address."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.stack import Stack


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.ready["http"], follow_redirects=True, timeout=20) as client:
        yield client


def test_the_gateways_address_shows_the_console(browser: httpx.Client) -> None:
    page = browser.get("/")

    assert page.url.path == "/console/"
    assert "<title>" in page.text
    assert page.headers["server"] == "wagate"


def test_its_policy_lets_nobody_else_in(browser: httpx.Client) -> None:
    policy = browser.get("/console/").headers["content-security-policy"]

    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_an_api_call_is_still_an_api_call(stack: Stack) -> None:
    assert stack.rest.get("/sessions").headers["content-type"] == "application/json"
