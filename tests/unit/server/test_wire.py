"""Where a node may find WhatsApp, and its settings."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from server.config import Settings
from server.errors import Code, WagateError
from server.stand_in import WHATSAPP
from server.whatsapp.wire import Wire, wire_of

ROOT_KEY = "11" * 32


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAGATE_WIRE_PROXY", "WAGATE_WIRE_ROOT_KEY", "SSL_CERT_FILE", "WAGATE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The root keys that this process was told to trust, instead of trusting them."""
    keys: list[bytes] = []
    monkeypatch.setattr("sandbox.wire_hook.trust_root", keys.append)
    return keys


def stand_in(monkeypatch: pytest.MonkeyPatch, proxy: str, root_key: str = ROOT_KEY) -> Wire:
    monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
    return wire_of(Settings(wire_proxy=proxy, wire_root_key=root_key))


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "is_hidden"),
    [
        ({"HTTPS_PROXY": "http://127.0.0.1:3128"}, True),
        ({"https_proxy": "http://127.0.0.1:3128"}, True),
        ({"HTTPS_PROXY": "http://127.0.0.1:3128", "NO_PROXY": ".whatsapp.com"}, False),
        ({"HTTP_PROXY": "http://127.0.0.1:3128"}, False),
        ({}, False),
    ],
)
def test_a_proxy_of_the_environment_is_noticed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_hidden: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wire_of(Settings()).is_hidden == is_hidden


def test_without_settings_the_node_talks_to_whatsapp_itself(trusted: list[bytes]) -> None:
    assert wire_of(Settings()) == Wire(None, *WHATSAPP)
    assert trusted == []


@pytest.mark.parametrize(
    ("proxy", "wire"),
    [
        ("http://127.0.0.1:8090", Wire("http://127.0.0.1:8090", "127.0.0.1", 8090)),
        ("127.0.0.1:8090", Wire("http://127.0.0.1:8090", "127.0.0.1", 8090)),
        ("http://localhost:1/x", Wire("http://127.0.0.1:1", "127.0.0.1", 1)),
        ("http://127.8.8.8:80", Wire("http://127.8.8.8:80", "127.8.8.8", 80)),
        ("http://[::1]:8090", Wire("http://[::1]:8090", "::1", 8090)),
        ("http://user:secret@127.0.0.1:8090", Wire("http://127.0.0.1:8090", "127.0.0.1", 8090)),
    ],
)
def test_a_stand_in_on_loopback_is_taken(
    monkeypatch: pytest.MonkeyPatch, trusted: list[bytes], proxy: str, wire: Wire
) -> None:
    assert stand_in(monkeypatch, proxy) == wire
    assert trusted == [bytes.fromhex(ROOT_KEY)]


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "http://",
        "http://127.0.0.1",
        "https://127.0.0.1:8090",
        "socks5://127.0.0.1:8090",
        "http://192.0.2.1:8090",
        "http://0.0.0.0:8090",
        "http://[::]:8090",
        "http://example.org:8090",
        "http://127.0.0.1.example.org:8090",
        "http://localhost.example.org:8090",
        "http://127.0.0.1:8090@example.org:8090",
        "http://127.1:8090",
        "http://2130706433:8090",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
    ],
)
def test_anything_but_loopback_is_refused_before_any_key_is_trusted(
    monkeypatch: pytest.MonkeyPatch, trusted: list[bytes], proxy: str
) -> None:
    with pytest.raises(WagateError, match="WAGATE_WIRE_PROXY") as caught:
        stand_in(monkeypatch, proxy)
    assert caught.value.code is Code.VALIDATION_ERROR
    assert trusted == []


@pytest.mark.parametrize("key", ["", "11", "zz" * 32, "11" * 31, "11" * 33])
def test_a_root_key_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, trusted: list[bytes], key: str
) -> None:
    with pytest.raises(WagateError, match="WAGATE_WIRE_ROOT_KEY"):
        stand_in(monkeypatch, "http://127.0.0.1:8090", key)
    assert trusted == []


@pytest.mark.parametrize(
    ("proxy", "key", "ca"),
    [
        ("http://127.0.0.1:1", None, "ca.pem"),
        (None, ROOT_KEY, "ca.pem"),
        ("http://127.0.0.1:1", ROOT_KEY, None),
        ("http://127.0.0.1:1", ROOT_KEY, ""),
    ],
)
def test_the_three_settings_go_together(
    monkeypatch: pytest.MonkeyPatch,
    trusted: list[bytes],
    *,
    proxy: str | None,
    key: str | None,
    ca: str | None,
) -> None:
    if ca is not None:
        monkeypatch.setenv("SSL_CERT_FILE", ca)
    with pytest.raises(WagateError, match="together"):
        wire_of(Settings(wire_proxy=proxy, wire_root_key=key))
    assert trusted == []


def test_a_node_on_a_stand_in_says_loudly_that_it_is_none(
    monkeypatch: pytest.MonkeyPatch, trusted: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    stand_in(monkeypatch, "http://127.0.0.1:8090")
    assert trusted
    assert "\033[1;31mNOT WHATSAPP" in caplog.messages[-1]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WAGATE_GRPC_PORT", "0")
    settings = Settings()
    assert settings.grpc_port == 0
    assert settings.devices_dir == tmp_path / "devices"
    assert settings.database == f"sqlite:///{tmp_path / 'wagate.db'}"
    assert Settings(database_url="postgresql+asyncpg://x/y").database == "postgresql+asyncpg://x/y"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAGATE_GRPC_PORT", "65536"),
        ("WAGATE_GRPC_PORT", "http"),
        ("WAGATE_SEND_TIMEOUT", "0"),
        ("WAGATE_SEND_TIMEOUT", "76"),
        ("WAGATE_PAIRINGS", "0"),
        ("WAGATE_NODE_ID", ""),
        ("WAGATE_LOG_LEVEL", "LOUD"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=re.escape(name.removeprefix("WAGATE_").lower())):
        Settings()
