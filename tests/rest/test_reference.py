"""The API reference of the running product: served whole, by the gateway alone."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.stack import Stack
from tools.gateway import OPENAPI, ROOT
from tools.grpc_page import PAGE

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.ready["http"], follow_redirects=True, timeout=20) as client:
        yield client


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/grpc", "/docs/grpc/"])
def test_its_pages_let_nobody_else_in(browser: httpx.Client, path: str) -> None:
    page = browser.get(path)

    assert page.status_code == httpx.codes.OK
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    said = page.headers["content-security-policy"].split(";")
    assert dict(part.strip().split(" ", 1) for part in said) == POLICY
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs/", "/docs/grpc/"])
def test_what_a_page_needs_is_there(browser: httpx.Client, path: str) -> None:
    page = browser.get(path)
    needed = re.findall(r'<(?:script|link)[^>]* (?:src|href)="(?!data:)([^"]+)"', page.text)
    links = re.findall(r'<a href="(?!https?:|#)([^"#]+)', page.text)
    assert needed
    for reference in {*needed, *links}:
        found = browser.get(urljoin(str(page.url), reference))
        assert found.status_code == httpx.codes.OK, reference
        assert found.url.host == page.url.host


def test_the_viewer_comes_compressed(browser: httpx.Client) -> None:
    script = browser.get("/docs/viewer/javascripts/swagger-ui-bundle.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert script.num_bytes_downloaded < 500_000


def test_the_document_is_the_one_of_the_repository(browser: httpx.Client) -> None:
    answer = browser.get("/docs/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (ROOT / OPENAPI).read_bytes()


def test_the_grpc_page_is_the_generated_one(browser: httpx.Client) -> None:
    assert browser.get("/docs/grpc/").content == (ROOT / PAGE).read_bytes()


def test_nothing_else_of_the_viewers_package_is_served(browser: httpx.Client) -> None:
    for path in ("viewer/swagger.html", "viewer/javascripts/swagger-ui-bundle.js.map", "viewer/plugin.py"):
        assert browser.get(f"/docs/{path}").status_code == httpx.codes.NOT_FOUND
