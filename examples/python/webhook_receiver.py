"""Receives an organization's events: only genuine ones, and answered once they are kept.

WEBHOOK_SECRET=... PORT=9000 python webhook_receiver.py
"""

import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST = 16 * 1024 * 1024


def is_genuine(secret: str, body: bytes, signature: str) -> bool:
    """Whether a POST comes from the gateway: `signature` is its header X-Webhook-Hmac."""
    expected = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def receiver(
    address: tuple[str, int], secrets: Callable[[], list[str]], keep: Callable[[dict[str, Any]], None]
) -> ThreadingHTTPServer:
    """A server that takes events.

    Args:
        address: host and port to listen on.
        secrets: gives those that are good now; two of them while one is being rotated.
        keep: stores an event where none with its `id` is stored yet. Slow work comes later, from there.
            When it raises, the event comes again.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length <= LONGEST else b""
            signature = self.headers.get("X-Webhook-Hmac") or ""
            if not any(is_genuine(secret, body, signature) for secret in secrets()):
                self._answer(401)
                return
            try:
                keep(json.loads(body))
            except Exception:
                self._answer(500)
                raise
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Says nothing: what is posted is nobody's but its reader's."""

    return ThreadingHTTPServer(address, Handler)


def keep(event: dict[str, Any]) -> None:
    """Keeps an event that comes twice once."""
    with contextlib.closing(sqlite3.connect("events.db")) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, event TEXT)")
        database.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event["id"], json.dumps(event)))


if __name__ == "__main__":
    secret, port = os.environ["WEBHOOK_SECRET"], int(os.environ["PORT"])
    receiver(("", port), lambda: [secret], keep).serve_forever()
