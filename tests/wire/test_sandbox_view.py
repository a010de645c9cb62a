"""The sandbox's own page: what is served to whom, and which pages may use the control API."""

import pytest

from tests.wire.sandbox_process import SandboxProcess

FILES = {"": "text/html", "index.html": "text/html", "main.js": "text/javascript", "base.css": "text/css"}


@pytest.mark.parametrize(("name", "kind"), FILES.items())
async def test_the_page_is_served_with_strict_headers(sandbox: SandboxProcess, name: str, kind: str) -> None:
    answer = await sandbox.request("GET", f"/view/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.text) > 100


async def test_nothing_is_asked_of_anybody_else(sandbox: SandboxProcess) -> None:
    page = (await sandbox.request("GET", "/view/")).text
    assert "http:" not in page
    assert "https:" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="') == 1


async def test_an_unchanged_file_is_not_sent_again(sandbox: SandboxProcess) -> None:
    first = await sandbox.request("GET", "/view/main.js")
    again = await sandbox.send("GET", "/view/main.js", {"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("path", "leads_to"), [("/", "view/"), ("/view", "view/")])
async def test_its_neighbourhood_leads_to_the_page(sandbox: SandboxProcess, path: str, leads_to: str) -> None:
    answer = await sandbox.request("GET", path)
    assert (answer.status_code, answer.headers["location"]) == (302, leads_to)


@pytest.mark.parametrize(
    "name", ["nothing.js", "../control.py", "..%2fcontrol.py", "%2e%2e/control.py", "/etc/passwd", "main.js/"]
)
async def test_nothing_else_is_reached(sandbox: SandboxProcess, name: str) -> None:
    answer = await sandbox.request("GET", f"/view/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[", "http://localhost"]
)
async def test_a_page_from_elsewhere_drives_nothing(sandbox: SandboxProcess, origin: str) -> None:
    for method, path in (
        ("POST", "/faults"),
        ("DELETE", "/faults"),
        ("GET", "/wire"),
        ("PUT", "/phones/491701"),
    ):
        answer = await sandbox.send(method, path, {"origin": origin}, b"{}")
        assert answer.status_code == 403, path
        assert answer.json()["error"]["code"] == "forbidden"
    assert (await sandbox.request("GET", "/phones/491701")).status_code == 404


async def test_its_own_page_sends_json(sandbox: SandboxProcess) -> None:
    own = {"origin": sandbox.url}
    fault = b'{"kind": "no_lid"}'
    as_form = await sandbox.send("POST", "/faults", {**own, "content-type": "text/plain"}, fault)
    assert (as_form.status_code, as_form.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert await sandbox.ok("GET", "/faults") == []
    as_json = await sandbox.send("POST", "/faults", {**own, "content-type": "application/json"}, fault)
    assert as_json.status_code == 201
    without = await sandbox.send("DELETE", "/faults", own)
    assert without.status_code == 204


async def test_a_program_names_no_origin_and_sends_as_it_likes(sandbox: SandboxProcess) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await sandbox.send("POST", "/faults", headers, b'{"kind": "no_lid"}')
    assert answer.status_code == 201
