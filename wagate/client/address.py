"""Where a gateway is."""

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A gateway's address.

    Attributes:
        target: `host:port`, as gRPC wants it.
        is_encrypted: whether it speaks TLS.
    """

    target: str
    is_encrypted: bool

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads what a person wrote.

        Args:
            text: `https://host`, `http://host:port`, or `host:port`, which is not encrypted.

        Raises:
            ValueError: it is none of these.
        """
        url = urlsplit(text if "://" in text else f"http://{text}")
        try:
            port = url.port
        except ValueError:
            port = 0
        is_bare = not (url.username or url.password or url.query or url.fragment) and url.path in {"", "/"}
        if url.scheme not in _PORTS or not url.hostname or port == 0 or not is_bare:
            raise ValueError(
                f"{text!r} is no gateway's address: give it without a path,"
                " such as https://gateway.example or 127.0.0.1:8080"
            )
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        return cls(f"{host}:{port or _PORTS[url.scheme]}", url.scheme == "https")
