"""What Envoy does with pages: it leads their paths to the node's HTTP port, past the transcoder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from server.pages.answering import Pages
from server.pages.folders import FOLDERS
from tests.edge.envelope import refused
from tests.edge.gateway import HOST, Gateway


@asynccontextmanager
async def pages_of(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """The product's pages in the node's place."""
    pages = await Pages.loaded()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return pages.answer(request)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, HOST, gateway.realtime_port).start()
    async with httpx.AsyncClient(base_url=gateway.url, timeout=20) as client:
        yield client
    await runner.cleanup()


@pytest_asyncio.fixture
async def browser(own_gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with pages_of(own_gateway) as client:
        yield client


async def test_the_paths_of_pages_lead_to_the_node(browser: httpx.AsyncClient) -> None:
    for folder in (folder for folder in FOLDERS if folder.package == "server.pages"):
        page = await browser.get(folder.prefix)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-encoding"] == "gzip"
        assert page.headers["content-security-policy"].startswith(folder.policy)
        again = await browser.get(folder.prefix, headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        bare = await browser.get(folder.prefix.rstrip("/"))
        assert (bare.status_code, bare.headers["location"]) == (301, folder.prefix.split("/")[-2] + "/")


async def test_the_front_door_leads_to_the_console(browser: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        answer = await browser.request(method, "/")
        assert (answer.status_code, answer.headers["location"]) == (302, "/console/")
    refused(await browser.post("/", json={}), 404, "not_found")


async def test_what_is_below_is_answered_by_the_node_and_what_is_beside_by_the_edge(
    browser: httpx.AsyncClient,
) -> None:
    below = await browser.get("/console/nothing")
    assert (below.status_code, below.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "no such page" in below.text
    refused(await browser.get("/consoles"), 404, "not_found")
    assert (await browser.post("/console/", json={})).status_code == 405


@pytest.mark.parametrize("path", ["/console/../api/v1/sessions", "/console/./../messages/delete"])
async def test_dots_lead_where_they_lead_before_anything_is_decided(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)

    assert answer.headers["content-type"] == "application/json"


def test_without_a_node_there_is_a_word(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway, httpx.Client(base_url=gateway.url, timeout=20) as client:
        refused(client.get("/console/"), 503, "unavailable")
