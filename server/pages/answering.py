"""Answers a browser with a page, with the headers that keep others out of it."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, Self

from aiohttp import web

from server.pages.folders import FOLDERS, Folder
from server.pages.loading import Page, load

HEADERS: Final = {
    # A browser asks each time whether it has the newest; it is told by the ETag, in a few bytes.
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NOTHING_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""Of answers that are no page."""
_NEVER: Final = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


class Pages:
    """What is served, all of it in memory."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        """Serves what was loaded.

        Args:
            pages: by path.
        """
        self._pages = pages
        self._unfinished = {path.rstrip("/") for path in pages if path.endswith("/")}

    @classmethod
    async def loaded(cls, folders: Iterable[Folder] = FOLDERS) -> Self:
        """Reads the folders, without keeping the event loop waiting.

        Raises:
            FileNotFoundError: one is not there.
        """
        return cls(await asyncio.to_thread(load, folders))

    def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to a request for whatever path."""
        page = self._pages.get(request.path)
        if page is None and request.path in self._unfinished:
            # Relative addresses in the page need the slash. The address is relative too: only the browser
            # knows under which name, and whether over TLS, it came.
            end = request.path.rpartition("/")[2]
            return _plain(HTTPStatus.MOVED_PERMANENTLY, "", {"Location": f"{end}/"})
        if page is None:
            return _plain(HTTPStatus.NOT_FOUND, "There is no such page here. The console is at /console/.\n")
        if request.method not in {"GET", "HEAD"}:
            text = "A page can only be read, with GET or HEAD.\n"
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, text, {"Allow": "GET, HEAD"})
        return _found(page, request.headers)


def _found(page: Page, asked: Mapping[str, str]) -> web.Response:
    packed = page.packed if _takes_gzip(asked.get("Accept-Encoding", "")) else None
    tag = f'"{page.tag}"' if packed is None else f'"{page.tag}-gzip"'
    headers = {**HEADERS, "Content-Security-Policy": page.policy, "ETag": tag, "Vary": "Accept-Encoding"}
    if _has(asked.get("If-None-Match", ""), tag):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = page.kind
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=page.plain if packed is None else packed, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether the header Accept-Encoding allows gzip (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in {"gzip", "*"}:
            return _NEVER.fullmatch(weight) is None
    return False


def _has(known: str, tag: str) -> bool:
    """Whether the header If-None-Match names the tag (RFC 9110, 13.1.2)."""
    return known.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in known.split(","))


def _plain(status: HTTPStatus, text: str, more: Mapping[str, str] | None = None) -> web.Response:
    headers = {**HEADERS, "Content-Security-Policy": NOTHING_POLICY, **(more or {})}
    return web.Response(status=status, text=text, headers=headers)
