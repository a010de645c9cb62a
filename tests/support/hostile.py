"""Requests that nobody means well with: made from a seed, sent byte for byte."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.support import api_document
from tests.support.api_document import Operation

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FROB")
SEGMENTS = (
    "", ".", "..", "%2e%2e", "%2E%2e", "%2f", "%5c", "%00", "%0d%0aSet-Cookie:%20a=b", "%ff%fe", "%c0%af",
    "%zz", "%", "a" * 3000, "%F0%9F%92%A9", "*", ":start", "x:start", "';DROP TABLE session;--",
    "%27%20OR%201=1--", "${jndi:x}", "{{7*7}}", "%s%s%s%n", "-1", "0", "9" * 40, "null", "undefined",
    "true", "628120000001@s.whatsapp.net", "628120000001%40lid", "@", "a@b@c", "1@g.us", "%E2%80%AE",
    "%EF%BB%BF",
)  # fmt: skip
QUERIES = (
    "", "limit=1", "limit=-1", "limit=99999999999", "limit=1e3", "limit=%00", "cursor=x",
    "cursor=" + "A" * 5000, "limit=1&limit=2", "async=maybe", "async=true", "rest_session=x", "session=x",
    "rest_body.data=e30=", "&&&===", "%ff=%ff", "a[b]=c", "message.to=x", "cursor=%0d%0aX", "?", "limit",
    "=", "async=true&async=false", "%",
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**70, 1e308, -0.0, 1.5, "", " ", "\0", "\r\nX: y", "\ud800",
    "\U0010ffff", "a" * 70_000, "628120000001@s.whatsapp.net", "text", "poll", [], {}, [[[]]],
    {"a": {"b": {}}}, ["x"] * 2000, {"name": "x", "phone": "+628"}, "' OR '1'='1", "%s%n",
    "../../etc/passwd", "\u202e", "BEGIN:VCARD\nEND:VCARD",
)  # fmt: skip
BODIES = (
    b"", b" ", b"{", b"}", b"[]", b"null", b"0", b'""', b"nul", b"{}{}", b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b"[" * 5000, b'{"a":' * 5000, b'{"to":1e999}', b'{"to":' + b"9" * 10_000 + b"}",
    b"{'a':1}", b'{"a":1,"a":2}', b'{"to":"\xff"}', b'{"to":"\\u0000"}', b'{"to":"\\ud800"}', b"\0" * 500,
    b"a=b&c=d", b"<a/>", b'{"a":NaN}',
)  # fmt: skip
HEADERS = (
    "x-a: b", "x-!#$%: b", "idempotency-key: \xff\xfe", "idempotency-key: " + "k" * 300, "idempotency-key:",
    "content-type: text/plain", "content-type: application/grpc-web", "content-type: multipart/form-data",
    "accept: */*", "content-encoding: gzip", "expect: x", "x-envoy-original-path: /x",
    "x-envoy-retry-on: 5xx", "x-http-status: 200", "grpc-timeout: 1n", "grpc-encoding: gzip",
    "te: trailers", "x-forwarded-for: ' OR 1=1", "host: evil", "cookie: a=b", "x-request-id: a\tb",
    "range: bytes=0-1", "if-none-match: *", "authorization: Basic x", "x-api-key: wa_\xff",
    "x-method-override: DELETE", "upgrade: h2c", "a-bin: !!!", "x-session-id: ../..", "origin: null",
)  # fmt: skip

CHAT = "628120000001@s.whatsapp.net"
"""Whom good requests are about."""
GOOD: dict[str, object] = {
    "to": CHAT, "type": "text", "text": "hello", "chat": CHAT,
    "sender": "", "emoji": "x", "options": ["a", "b"], "name": "n", "phone": "6281200001", "label": "l",
    "archived": True, "pinned": False, "mutedUntil": 4_102_444_800_000, "unmute": False, "state": "paused",
    "invite": "AbCdEfGhIjKlMnOp", "latitude": 1, "longitude": 2, "contact": {"name": "n", "phone": "62812"},
    "replyTo": "", "mentions": [], "selectableCount": 1, "autoRead": True, "presenceTyping": False,
    "url": "http://127.0.0.1:9/", "events": ["message"], "sessionId": "", "active": False, "secret": "s",
    "customHeaders": {"X-Tenant": "7"}, "retryPolicy": {"attempts": 1, "policy": "linear"}, "deliveryIds": [],
}  # fmt: skip
"""Good values for the fields of bodies; `start` is left out, as it makes processes."""


@dataclass(frozen=True)
class Answer:
    """What came back. `status` 0: the connection was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """Sends bytes over HTTP/1.1 and reads whole answers; connects anew when the other side has closed."""

    def __init__(self, address: tuple[str, int], seconds: float = 30) -> None:
        """Talks to `address`; waits up to `seconds` for anything."""
        self._address = address
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._unread = b""

    def close(self) -> None:
        """Hangs up."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._unread = None, b""

    def send(self, data: bytes) -> None:
        """Sends bytes, as many as the other side takes."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._seconds)
        # What is refused before all of it was sent may have an answer all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def ask(self, request: bytes, *, head: bool = False) -> Answer:
        """Sends a request and reads its answer; `head`: the answer has no body."""
        self.send(request)
        answer = self._read(head=head)
        if answer.status == 0 or answer.headers.get("connection") == "close":
            self.close()
        return answer

    def _read(self, *, head: bool) -> Answer:
        while b"\r\n\r\n" not in self._unread:
            if not self._more():
                return Answer(0, {}, self._unread)
        first, _, self._unread = self._unread.partition(b"\r\n\r\n")
        status, *lines = first.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if head else int(headers.get("content-length", "0"))
        while len(self._unread) < length:
            if not self._more():
                return Answer(0, headers, self._unread)
        body, self._unread = self._unread[:length], self._unread[length:]
        return Answer(int(status.split()[1]), headers, body)

    def _more(self) -> bool:
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            return False
        self._unread += data
        return bool(data)


def request(method: str, path: str, headers: Sequence[str] = (), body: bytes | None = None) -> bytes:
    """A request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: gateway", *headers]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def fuzzed(seed: int, count: int, key: str, existing: Mapping[str, str]) -> Iterator[bytes]:
    """Makes requests: of the API's operations, each with some parts that do not belong there.

    Args:
        seed: the same one gives the same requests.
        count: how many.
        key: a good api-key.
        existing: values of path variables that lead somewhere.
    """
    random = Random(seed)
    document = api_document.without_streams(api_document.load())  # their answers have no end
    operations = list(api_document.operations(document).values())
    fields = {operation.name: _fields(document, operation) for operation in operations}
    for _ in range(count):
        operation = random.choice(operations)
        method = operation.method if random.random() < 0.8 else random.choice(METHODS)
        path = _path(random, operation, existing)
        headers = [f"authorization: Bearer {key if random.random() < 0.9 else 'wa_' + 'x' * 40}"]
        headers += random.choices(HEADERS, k=random.choice((0, 0, 1, 2, 5)))
        body = (
            _body(random, fields[operation.name]) if operation.takes_body or random.random() < 0.1 else None
        )
        yield request(method, path, headers, body)


def _path(random: Random, operation: Operation, existing: Mapping[str, str]) -> str:
    values = {name: _segment(random) for name in operation.variables}
    # What exists shall go on existing: for all but those that could end it.
    ends = {"deleteChat", "revokeMessage", "deleteWebhook"}
    if operation.said["tags"] != ["Sessions"] and operation.name not in ends:
        values.update(
            (name, value) for name, value in existing.items() if name in values and random.random() < 0.8
        )
    path = operation.path.format(**values)
    if random.random() < 0.1:
        path = path.replace(
            "/", random.choice(("//", "/./", "/../", "/%2e/", "/;a=b/")), random.choice((1, 2, 3))
        )
    query = random.choice(QUERIES) if random.random() < 0.3 else ""
    return f"{path}?{quote(query, safe='%=&[].?')}" if query or random.random() < 0.1 else path


def _segment(random: Random) -> str:
    return quote(random.choice(SEGMENTS), safe="%@:*.;-'=$*") if random.random() < 0.4 else CHAT


def _body(random: Random, known: Sequence[str]) -> bytes:
    """A body with the fields that an operation knows, some of them missing, wrong or beside the point."""
    if random.random() < 0.2:
        return random.choice(BODIES)
    if random.random() < 0.05:
        return random.randbytes(random.choice((1, 10, 1000)))
    body = {name: GOOD[name] for name in known if name in GOOD and random.random() < 0.9}
    for name in random.sample(known, k=min(len(known), random.choice((0, 0, 1, 2)))):
        body[name] = random.choice(VALUES)
    if random.random() < 0.05:
        body["colour"] = "red"
    return json.dumps(body).encode()


def _fields(document: api_document.Document, operation: Operation) -> list[str]:
    """Names of what an operation's body may hold."""
    if not operation.takes_body:
        return []
    reference = operation.said["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return sorted(document["components"]["schemas"][reference.rpartition("/")[2]]["properties"])
