import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jid import JID
from sandbox.phone import QrCode
from sandbox.settings import Settings, SettingsError

KEYS = [bytes([number]) * 32 for number in (1, 2, 3)]
CODED = [base64.b64encode(key).decode() for key in KEYS]


@given(
    st.from_regex(r"[0-9]{5,15}", fullmatch=True),
    st.sampled_from(["s.whatsapp.net", "lid", "g.us"]),
    st.integers(0, 255),
)
def test_an_address_reads_back_from_its_text(user: str, server: str, device: int) -> None:
    jid = JID(user, server, device)
    assert JID.parse(str(jid)) == jid
    assert jid.account == JID(user, server)


def test_a_server_is_an_address_too() -> None:
    assert JID.parse("s.whatsapp.net") == JID("", "s.whatsapp.net")
    assert str(JID("", "s.whatsapp.net")) == "s.whatsapp.net"


@pytest.mark.parametrize("text", ["", "@", "a b@lid", "1@", "1:2:3@lid", "1:256@lid", "1@LID", "1@lid\n"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no JID"):
        JID.parse(text)


@pytest.mark.parametrize("prefix", ["", "https://wa.me/settings/linked_devices#"])
@pytest.mark.parametrize("platform", [[], ["Chrome"]])
def test_a_code_is_read_with_and_without_link_and_platform(prefix: str, platform: list[str]) -> None:
    code = QrCode.parse(prefix + ",".join(["2@ref", *CODED, *platform]) + "\n")
    assert code == ("2@ref", *KEYS, platform[0] if platform else "")


@given(st.text())
def test_any_other_text_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="code"):
        QrCode.parse(text)


def test_settings_have_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(8090, Path("data"))
    assert settings.folder == Path.cwd() / "data" / "sandbox"


@pytest.mark.parametrize("port", ["x", "-1", "65536", "8090.0", ""])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="a number from 0 to 65535"):
        Settings.from_environment({"WAGATE_SANDBOX_PORT": port})
