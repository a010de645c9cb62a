"""Pages: what is served of a package's folder, and nothing else."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession, web

from server.pages.answering import HEADERS, Pages
from server.pages.folders import FOLDERS, Folder
from server.pages.loading import KINDS, load

POLICY = "default-src 'none'; script-src 'self'"
SCRIPT = "export const answer = 42;\n" * 50
FILES = {
    "web/index.html": "<!doctype html><title>Shop</title>" + "<p>Hello." * 50,
    "web/app.js": SCRIPT,
    "web/style.css": "p { color: red }",
    "web/deep/index.html": "<!doctype html><title>Deep</title>",
    "web/secret.py": "KEY = 1",
    "web/Makefile": "all:",
    "outside.html": "<!doctype html><title>Outside</title>",
    "more/style.css": "p { color: blue }",
    "more/picture.png": "\x89PNG",
}


@pytest.fixture(scope="module", autouse=True)
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An installed package with files."""
    root = tmp_path_factory.mktemp("site")
    for name, text in {"__init__.py": "", **FILES}.items():
        path = root / "shop_of_pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        yield


SHOP = Folder("/shop/", "shop_of_pages", "web", POLICY)


@asynccontextmanager
async def served(*folders: Folder) -> AsyncIterator[ClientSession]:
    pages = await Pages.loaded(folders)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return pages.answer(request)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with ClientSession(f"http://{host}:{port}", auto_decompress=False) as http:
        yield http
    await runner.cleanup()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with served(SHOP) as client:
        yield client


async def asked(http: ClientSession, path: str, method: str = "GET", **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await http.request(
        method, path, headers={"accept-encoding": "identity", **named}, allow_redirects=False
    )
    await answer.read()
    return answer


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/shop/", "web/index.html"),
        ("/shop/index.html", "web/index.html"),
        ("/shop/app.js", "web/app.js"),
        ("/shop/app.js?v=1", "web/app.js"),
        ("/shop/style.css", "web/style.css"),
        ("/shop/deep/", "web/deep/index.html"),
    ],
)
async def test_a_file_comes_with_its_kind_and_the_headers_that_keep_others_out(
    http: ClientSession, path: str, name: str
) -> None:
    answer = await asked(http, path)

    assert answer.status == 200
    assert await answer.text() == FILES[name]
    assert answer.headers["content-type"] == KINDS[name[name.rfind(".") :]]
    assert HEADERS.items() <= dict(answer.headers).items()
    assert answer.headers["content-security-policy"] == f"{POLICY}; base-uri 'none'; frame-ancestors 'none'"


async def test_a_file_is_sent_compressed_to_whom_can_read_that(http: ClientSession) -> None:
    packed = await asked(http, "/shop/app.js", accept_encoding="br, gzip;q=0.5")
    plain = await asked(http, "/shop/app.js", accept_encoding="gzip;q=0, br")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(await packed.read()).decode() == SCRIPT
    assert len(await packed.read()) < len(SCRIPT) / 4
    assert "content-encoding" not in plain.headers
    assert await plain.text() == SCRIPT
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    # what would not become smaller is left as it is
    assert "content-encoding" not in (await asked(http, "/shop/style.css", accept_encoding="gzip")).headers


async def test_who_has_the_newest_is_told_so_in_a_few_bytes(http: ClientSession) -> None:
    tag = (await asked(http, "/shop/")).headers["etag"]

    for known in (tag, f"W/{tag}", f'"old", {tag}', "*"):
        answer = await asked(http, "/shop/", if_none_match=known)
        assert (answer.status, await answer.read()) == (304, b"")
        assert answer.headers["etag"] == tag
    assert (await asked(http, "/shop/", if_none_match='"old"')).status == 200
    assert (await asked(http, "/shop/app.js", if_none_match=tag)).status == 200


async def test_head_tells_the_same_without_the_body(http: ClientSession) -> None:
    head, get = await asked(http, "/shop/app.js", "HEAD"), await asked(http, "/shop/app.js")

    assert (head.status, await head.read()) == (200, b"")
    assert int(head.headers["content-length"]) == len(SCRIPT)
    assert {**head.headers, "Date": ""} == {**get.headers, "Date": ""}


async def test_a_folder_without_its_slash_leads_to_it(http: ClientSession) -> None:
    for path, location in (("/shop", "shop/"), ("/shop/deep", "deep/")):
        answer = await asked(http, path)
        assert (answer.status, answer.headers["location"]) == (301, location)
    followed = await http.get("/shop/deep")
    assert followed.url.path == "/shop/deep/"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/shopping",
        "/shop/nothing.html",
        "/shop/secret.py",
        "/shop/Makefile",
        "/shop/deep/nothing/",
        "/shop/../outside.html",
        "/shop/%2e%2e/outside.html",
        "/shop/..%2foutside.html",
        "/shop/..\\outside.html",
        "/shop//index.html",
        "/shop/index.html/",
        "/shop/index.html%00",
        "//etc/passwd",
    ],
)
async def test_there_is_nothing_else(http: ClientSession, path: str) -> None:
    base = (await asked(http, "/shop/")).url
    reader, writer = await asyncio.open_connection(base.host, base.port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n".encode())
    whole = (await reader.read()).decode()
    writer.close()

    assert whole.startswith("HTTP/1.1 404 "), whole
    assert "There is no such page here" in whole
    assert "text/plain" in whole


async def test_a_page_can_only_be_read(http: ClientSession) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await asked(http, "/shop/", method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_second_folder_adds_to_the_first_and_replaces_nothing() -> None:
    async with served(SHOP, Folder("/shop/", "shop_of_pages", "more", "default-src 'self'")) as http:
        assert await (await asked(http, "/shop/style.css")).text() == FILES["web/style.css"]
        picture = await asked(http, "/shop/picture.png")
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["content-security-policy"].startswith("default-src 'self'")


async def test_a_damaged_installation_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="shop_of_pages has no folder gone"):
        await Pages.loaded([Folder("/shop/", "shop_of_pages", "gone", POLICY)])


def test_the_folders_of_the_product_are_well_formed() -> None:
    for folder in FOLDERS:
        assert folder.prefix.startswith("/")
        assert folder.prefix.endswith("/")
        assert load([folder])
        if folder.package == "server.pages":  # other packages' folders are parts of its pages
            assert load([folder])[folder.prefix].kind == KINDS[".html"]
        assert "unsafe" not in folder.policy.replace("wasm-unsafe-eval", "")


def test_no_page_asks_a_third_party_for_anything() -> None:
    root = Path(__file__).parents[3] / "server" / "pages"
    for path in root.rglob("*"):
        if path.suffix in {".html", ".css", ".js"}:
            text = path.read_text(encoding="utf-8")
            assert 'src="http' not in text
            assert "url(http" not in text
            assert "@import" not in text
