"""Addresses that people write."""

import grpc
import pytest
import trustme
from wagate.client import UnreachableError, connect
from wagate.client.address import Address
from wagate.v1 import sessions_pb2

from tests.client.scripted import scripted


@pytest.mark.parametrize(
    ("text", "target", "is_encrypted"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080", False),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", False),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", False),
        ("HTTP://gateway:80", "gateway:80", False),
        ("gateway", "gateway:80", False),
        ("https://gateway.example", "gateway.example:443", True),
        ("https://gateway.example:8443", "gateway.example:8443", True),
        ("http://[::1]:8080", "[::1]:8080", False),
    ],
)
def test_addresses(text: str, target: str, is_encrypted: bool) -> None:
    assert Address.parse(text) == Address(target, is_encrypted)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "ftp://gateway",
        "http://gateway:8080/api/v1",
        "http://gateway:port",
        "http://gateway:0",
        "http://gateway:99999",
        "http://user:secret@gateway",
        "http://gateway?key=wa_1",
    ],
)
async def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no gateway's address"):
        async with connect(text, "wa_key"):
            pass


async def test_no_key_is_said() -> None:
    with pytest.raises(ValueError, match="wagate keys create"):
        async with connect("127.0.0.1:8080", " \n"):
            pass


async def test_https_is_encrypted_and_verified() -> None:
    authority, asked = trustme.CA(), sessions_pb2.GetSessionRequest(session="01JD7M2VN5QK8W4Z3X6Y9ABCDE")
    issued = authority.issue_cert("127.0.0.1")
    key, chain = issued.private_key_pem.bytes(), b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    session = sessions_pb2.Session(id=asked.session)
    async with scripted(session, tls=grpc.ssl_server_credentials([(key, chain)])) as script:
        trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        async with connect(f"https://{script.address}", "wa_key", credentials=trusted) as gateway:
            assert await gateway.sessions.GetSession(asked) == session
        # Whoever is not to be trusted is not told the key.
        async with connect(f"https://{script.address}", "wa_key", timeout=1) as gateway:
            with pytest.raises(UnreachableError):
                await gateway.sessions.GetSession(asked)
        assert len(script.asked) == 1
