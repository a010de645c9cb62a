"""The frontend that signs login tokens: real keys, real tokens, a real HTTP server for its key set."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER: Final = "https://frontend.test"
AUDIENCE: Final = "wagate"
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


@cache
def private_key(name: str, algorithm: str) -> PrivateKey:
    """A key of that name, made once per run: RSA keys take their time."""
    del name  # tells keys of one algorithm apart
    if algorithm == "RS256":
        return generate_rsa(65537, 2048)
    if algorithm == "ES256":
        return generate_ec(SECP256R1())
    return Ed25519PrivateKey.generate()


def public_jwk(key: PrivateKey, **fields: object) -> dict[str, Any]:
    """A key as a key set publishes it, with further fields such as `kid`."""
    if isinstance(key, RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, EllipticCurvePrivateKey):
        found = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, **fields}


class Frontend:
    """What the gateway knows of the frontend: its key set, and the tokens that people bring."""

    def __init__(self, url: str) -> None:
        """Publishes three keys: `rsa`, `ec` and `ed`."""
        self.url = url
        self.fetches = 0
        self.status = 200
        self.published: list[dict[str, Any]] = []
        self.raw: bytes | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()
        for name, algorithm in (("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")):
            self.publish(name, algorithm)

    def publish(self, name: str, algorithm: str = "EdDSA") -> None:
        """Adds a key to the key set."""
        self.published.append(public_jwk(private_key(name, algorithm), kid=name, use="sig"))

    def withdraw(self, name: str) -> None:
        """Takes a key out of the key set."""
        self.published = [key for key in self.published if key["kid"] != name]

    def answer(self) -> tuple[int, bytes]:
        """What the key set's URL answers; called in the server's threads."""
        self.fetches += 1
        self.asked.set()
        self.may_answer.wait(30)
        body = self.raw if self.raw is not None else json.dumps({"keys": self.published}).encode()
        return self.status, body


def claims(**changes: object) -> dict[str, Any]:
    """The claims of a token that is good for a minute; a change to None leaves a claim out."""
    now = int(time.time())
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user_1",
        "iat": now,
        "exp": now + 60,
        "org_id": "acme",
        "role": "owner",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def mint(
    name: str = "ed", algorithm: str = "EdDSA", headers: dict[str, Any] | None = None, /, **changes: object
) -> str:
    """A token signed by a key of that name."""
    # Signed as they are: the library's own way refuses to make some of the claims that we must refuse.
    payload = json.dumps(claims(**changes)).encode()
    key = private_key(name, algorithm)
    return jwt.api_jws.encode(payload, key, algorithm, headers={"kid": name, **(headers or {})})


@contextmanager
def frontend() -> Iterator[Frontend]:
    """Serves a key set on a free port for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = serving.answer()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", "/elsewhere")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = Frontend(f"http://127.0.0.1:{server.server_port}/jwks.json")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield serving
    finally:
        serving.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
