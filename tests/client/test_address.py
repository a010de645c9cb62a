"""Addresses that people write."""

import pytest
from wagate.client import connect
from wagate.client.address import Address


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
