"""A web application of somebody else's: a page, the script of the guide, and a backend that knows a key."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

SCRIPT = Path(__file__).parents[2] / "examples" / "browser" / "follow.js"
PAGE = b"<!doctype html><title>An application</title><p>Hello.</p>"


class Site:
    """Serves on a free port of loopback.

    Attributes:
        gateway: the gateway's root address.
        key: an api-key, which never leaves the backend.
    """

    gateway = ""
    key = ""

    def __init__(self) -> None:
        """Does not serve before it is entered."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answers with what the path names."""
                if self.path == "/follow.js":
                    self.answer("text/javascript", SCRIPT.read_bytes())
                elif self.path == "/ticket":
                    self.answer("text/plain", site.ticket().encode())
                else:
                    self.answer("text/html", PAGE)

            def answer(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def ticket(self) -> str:
        """A new ticket; "" while the gateway has none."""
        headers = {"authorization": f"Bearer {self.key}"}
        answer = httpx.post(f"{self.gateway}/api/v1/realtime/ticket", headers=headers, timeout=20)
        ticket: str = answer.json()["ticket"] if answer.status_code == httpx.codes.OK else ""
        return ticket

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
