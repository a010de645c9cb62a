"""A plain HTTP/1.1 connection, for what no client library would send or show."""

import socket
from dataclasses import dataclass

from tests.edge.gateway import HOST


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One TCP connection: what is sent and what comes back, byte for byte."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def reopen(self) -> None:
        self.close()
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection((HOST, self._port), timeout=20)
        self.unread = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> Answer:
        """Reads one answer; what follows it stays in `unread`."""
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self.unread) < length:
            self._more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return Answer(int(first.split()[1]), headers, body)

    def ask(self, method: str, path: str, *headers: str) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "host: edge", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))
        return self.answer()

    def _more(self) -> None:
        data = self._socket.recv(65536)
        assert data, f"closed after {self.unread!r}"
        self.unread += data
