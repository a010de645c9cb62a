"""The sandbox's own page: phones, persons and faults with the mouse, from the files in ``sandbox/view``."""

import hashlib
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

from sandbox.control_http import ControlError

__all__ = ["ViewControl"]

_FIRST = "index.html"
_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Another version of the sandbox at the same address brings other files under the same names.
    "Cache-Control": "no-cache",
}


class _File(NamedTuple):
    body: bytes
    type: str
    tag: str


class ViewControl:
    """Serves the page. All of its addresses are relative, so it works behind any prefix as well."""

    def __init__(self) -> None:
        # A few small files, read once: whatever a path says, nothing else can be reached by it.
        self._files = {
            entry.name: _File(body, _TYPES[entry.name.rpartition(".")[2]], hashlib.sha256(body).hexdigest())
            for entry in (files("sandbox") / "view").iterdir()
            for body in (entry.read_bytes(),)
        }

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/", self.lead),
            web.get("/view", self.lead),
            web.get("/view/{name:.*}", self.show),
        ]

    async def lead(self, _request: web.Request) -> web.Response:
        """Leads to the page from its neighbourhood."""
        return web.Response(status=302, headers={"Location": "view/"})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One of the page's files."""
        name = request.match_info["name"] or _FIRST
        file = self._files.get(name)
        if file is None:
            raise ControlError(404, f"the page has no file {name}")
        headers = {**_HEADERS, "ETag": f'"{file.tag}"'}
        known = request.if_none_match
        if known and any(tag.value == file.tag for tag in known):
            return web.Response(status=304, headers=headers)
        response = web.Response(body=file.body, content_type=file.type, charset="utf-8", headers=headers)
        response.enable_compression()
        return response
