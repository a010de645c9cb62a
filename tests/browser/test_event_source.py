"""A browser's own EventSource follows the events, from a page of another origin than the gateway's."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.site import Site
from tests.support.stack import Stack, eventually

FOLLOW = """async ([gateway, names]) => {
    const { follow } = await import("/follow.js");
    const ticket = async () => (await (await fetch("/ticket")).text()) || Promise.reject("none");
    window.told = [];
    window.stop = follow(gateway, ticket, names, (event) => window.told.push(event));
}"""
OPEN = """([address]) => {
    window.told = [];
    window.opened = 0;
    window.source = new EventSource(address);
    window.source.onopen = () => window.opened++;
    window.source.onmessage = (event) =>
        window.told.push({ id: event.lastEventId, name: event.type, envelope: JSON.parse(event.data) });
    window.source.addEventListener("heartbeat", (event) => (window.beat = event.lastEventId));
}"""


def says(stack: Stack, *texts: str) -> None:
    for text in texts:
        stack.says("628120000001", "628110000001@s.whatsapp.net", text)


def bodies(page: Page) -> list[str]:
    found: list[str] = page.evaluate("told.map((event) => (event.envelope ?? event).payload.body)")
    return found


def kill(stack: Stack) -> None:
    """Kills the node; the supervisor starts another one."""
    old = stack.node
    old.kill()
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")


@pytest.mark.usefixtures("session", "ada")
def test_the_guides_script_loses_nothing_over_a_killed_node(page: Page, site: Site, stack: Stack) -> None:
    # What a killed node had decrypted comes as a message that cannot be read, and then as what it is.
    page.evaluate(FOLLOW, [site.gateway, ["message", "message.decrypted", "message.status"]])

    # It says nothing of itself before there is something to tell.
    def follows() -> bool:
        says(stack, "warm")
        return bool(bodies(page))

    eventually(follows, "the page follows")
    expected = [f"text {number}" for number in range(30)]
    for number, text in enumerate(expected):
        says(stack, text)
        if number % 10 == 5:
            kill(stack)
    eventually(lambda: set(expected) <= set(bodies(page)), "the page has all of them")
    told = [body for body in bodies(page) if body and body != "warm"]
    assert sorted(told) == sorted(expected)
    ids: list[str] = page.evaluate("told.map((event) => event.id)")
    assert ids == sorted(set(ids))
    page.evaluate("stop()")


@pytest.mark.usefixtures("session", "ada")
def test_left_to_itself_it_comes_back_with_the_header(browser: Browser, site: Site, stack: Stack) -> None:
    """Somebody on the way (here: the browser's driver) adds the token: nothing but EventSource is needed."""
    headers = {"authorization": f"Bearer {site.key}"}
    context = browser.new_context(extra_http_headers=headers)
    page = context.new_page()
    page.goto(site.origin)
    oldest = "evt_" + "0" * 26
    page.evaluate(OPEN, [f"{site.gateway}/api/v1/events?since={oldest}&events=message"])
    says(stack, "before")
    eventually(lambda: bodies(page)[-1:] == ["before"], "the page has what was said")
    kill(stack)
    says(stack, "meanwhile")
    eventually(lambda: bodies(page)[-1:] == ["meanwhile"], "the page came back")
    told: list[dict[str, str]] = page.evaluate("told")
    ids = [event["id"] for event in told]
    assert ids == sorted(set(ids)), "it has begun anew"
    assert {event["name"] for event in told} == {"message"}
    assert page.evaluate("opened") == 2
    context.close()


@pytest.mark.usefixtures("session", "ada")
def test_left_to_itself_with_a_ticket_it_is_told_to_stop(page: Page, site: Site, stack: Stack) -> None:
    page.evaluate(OPEN, [f"{site.gateway}/api/v1/events?ticket={site.ticket()}"])
    eventually(lambda: page.evaluate("window.beat"), "a heartbeat")
    says(stack, "by ticket")
    eventually(lambda: bodies(page)[-1:] == ["by ticket"], "the page has what was said")
    kill(stack)
    eventually(lambda: page.evaluate("source.readyState") == 2, "the browser gave up")
    assert page.evaluate("opened") == 1


def test_a_page_of_any_other_origin_is_kept_out(browser: Browser, site: Site, stack: Stack) -> None:
    with Site() as other:
        context = browser.new_context()
        page = context.new_page()
        page.goto(other.origin)
        page.evaluate(OPEN, [f"{stack.ready['http']}/api/v1/events?ticket={site.ticket()}"])
        eventually(lambda: page.evaluate("source.readyState") == 2, "the browser refuses")
        assert page.evaluate("opened") == 0
        context.close()


def test_a_page_may_ask_for_its_ticket_itself(page: Page, site: Site) -> None:
    """With a login token, say: the request has a header, so the browser asks before it asks."""
    status: int = page.evaluate(
        """async ([gateway, token]) => {
            const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
            const path = `${gateway}/api/v1/realtime/ticket`;
            return (await fetch(path, { method: "POST", headers, body: "{}" })).status;
        }""",
        [site.gateway, site.key],
    )
    assert status == 200
    refused: str = page.evaluate(
        """async ([gateway]) => (await (await fetch(`${gateway}/api/v1/sessions`)).json()).error.code""",
        [site.gateway],
    )
    assert refused == "unauthorized"
