"""A browser's own WebSocket follows the events, and tells its page why it ends."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page

from tests.browser.site import Site
from tests.support.stack import Stack, eventually

OPEN = """async ([address]) => {
    const ticket = await (await fetch("/ticket")).text();
    window.told = [];
    window.ended = null;
    const open = (given) => {
        const socket = new WebSocket(`${address}?ticket=${given}`);
        socket.onmessage = (event) => window.told.push(JSON.parse(event.data));
        socket.onclose = (event) => (window.ended = { code: event.code, reason: event.reason });
        return socket;
    };
    window.open = open;
    window.ticket = ticket;
    window.socket = open(ticket);
}"""


def opened(page: Page, stack: Stack) -> None:
    """Has the page follow, and waits until it does."""
    page.evaluate(OPEN, [stack.ready["http"].replace("http:", "ws:", 1) + "/api/v1/realtime"])
    eventually(lambda: page.evaluate("window.told.length"), "the first event")
    assert page.evaluate("window.told[0].event") == "heartbeat"


def end(page: Page) -> Mapping[str, Any]:
    """How the page's newest socket has ended, once it has."""
    found: Mapping[str, Any] = eventually(lambda: page.evaluate("window.ended"), "the socket ends")
    return found


def test_a_page_of_another_origin_follows(
    page: Page, stack: Stack, site: Site, session: str, ada: str
) -> None:
    assert site.origin != stack.ready["http"]
    opened(page, stack)
    stack.send(session, ada, "to be told").raise_for_status()
    bodies = "window.told.map((event) => event.payload.body)"
    eventually(lambda: "to be told" in page.evaluate(bodies), "the page is told")


def test_the_page_is_told_why_its_socket_ends(page: Page, stack: Stack) -> None:
    # a ticket that is spent
    opened(page, stack)
    page.evaluate("window.open(window.ticket)")
    ended = end(page)
    assert ended["code"] == 4401
    assert "spent" in ended["reason"]
    # something sent
    page.evaluate("() => { window.ended = null; window.socket.send('hello'); }")
    assert end(page)["code"] == 1003
    # a node that stops
    opened(page, stack)
    old = stack.node
    old.terminate()
    assert end(page)["code"] == 1012
    # and one that dies
    eventually(lambda: stack.node.pid != old.pid, "a new node")
    eventually(lambda: stack.rest.get("/sessions").is_success, "the new node serves")
    opened(page, stack)
    old = stack.node
    old.kill()
    assert end(page)["code"] == 1006
    eventually(lambda: stack.node.pid != old.pid, "a new node")
    eventually(lambda: stack.rest.get("/sessions").is_success, "the new node serves")
