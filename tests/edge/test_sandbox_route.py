"""The sandbox's page and control API beside the gateway, where there is a sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from tests.edge.envelope import refused
from tests.edge.gateway import HOST, Gateway, free_port

PAGE = "https://app.example"


async def tell(request: web.Request) -> web.Response:
    """Answers with what came, in the status that was asked for."""
    told = {
        "method": request.method,
        "path": request.path_qs,
        "host": request.host,
        "body": await request.text(),
    }
    return web.json_response({"error": told}, status=int(request.headers.get("x-status", "200")))


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    """A gateway with a server in the sandbox's place."""
    port = free_port()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        with Gateway(folder, sandbox=port, origins=[PAGE]) as gateway:
            async with httpx.AsyncClient(base_url=gateway.url, timeout=20) as client:
                yield gateway, client
    finally:
        await runner.cleanup()


async def test_it_is_reached_without_the_prefix(tmp_path: Path) -> None:
    async with served(tmp_path) as (gateway, client):
        for method, path in (
            ("GET", "/"),
            ("GET", "/view/main.js"),
            ("DELETE", "/faults/1"),
            ("GET", "/journal?after=1"),
        ):
            answer = await client.request(method, f"/sandbox{path}")
            told = answer.json()["error"]
            assert (answer.status_code, told["method"], told["path"]) == (200, method, path)
            assert f"http://{told['host']}" == gateway.url, "the page's origin is that of its host"
        posted = await client.post("/sandbox/contacts/491701%40s.whatsapp.net/messages", json={"text": "x"})
        assert posted.json()["error"]["body"] == '{"text":"x"}'
        assert not gateway.calls


async def test_its_refusals_stay_its_own(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, client):
        for status in (400, 404, 409, 502):
            answer = await client.post("/sandbox/phones/1/scan", json={}, headers={"x-status": str(status)})
            assert answer.status_code == status
            assert answer.json()["error"]["path"] == "/phones/1/scan"


async def test_its_name_alone_leads_to_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (gateway, client):
        answer = await client.get("/sandbox")
        assert answer.status_code == 301
        assert answer.headers["location"] == f"{gateway.url}/sandbox/"
        refused(await client.get("/sandboxed"), 404, "not_found")


@pytest.mark.parametrize("path", ["/sandbox", "/sandbox/", "/sandbox/view/", "/sandbox/faults"])
def test_without_a_sandbox_there_is_nothing(rest: httpx.Client, path: str) -> None:
    refused(rest.get(path), 404, "not_found")
