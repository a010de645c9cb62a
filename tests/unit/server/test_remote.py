"""What the command line makes of addresses, keys, answers and errors."""

from pathlib import Path

import pytest

from server.commands.exits import Exit, advice_on, exit_of
from server.commands.output import printable
from server.commands.words import jid_of, time_of
from server.errors import Code, WagateError
from server.remote.credentials import key_for
from server.remote.documents import text_of
from server.remote.place import Place, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://127.0.0.1:8080", Place("127.0.0.1", 8080)),
        ("127.0.0.1:8080", Place("127.0.0.1", 8080)),
        ("localhost:1/", Place("localhost", 1)),
        ("https://gateway.example", Place("gateway.example", 443, is_tls=True)),
        ("https://gateway.example:8443/", Place("gateway.example", 8443, is_tls=True)),
        ("http://[::1]:8080", Place("::1", 8080)),
    ],
)
def test_addresses_are_read(text: str, place: Place) -> None:
    assert place_of(text) == place
    assert place_of(place.url) == place
    assert place_of(f"{'https' if place.is_tls else 'http'}://{place.target}") == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://u:p@x",
        "http://x/api/v1",
        "http://x?y",
        "http://[x",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WagateError) as refused:
        place_of(text)
    assert refused.value.code is Code.VALIDATION_ERROR


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.0.1:1", True),
        ("http://[::1]:1", True),
        ("http://localhost:1", True),
        ("http://10.0.0.1:1", False),
        ("http://localhost.example:1", False),
    ],
)
def test_the_local_key_stays_on_this_machine(tmp_path: Path, url: str, is_here: bool) -> None:
    (tmp_path / "up.key").write_text("wa_local\n")
    place = place_of(url)
    assert place.is_this_machine is is_here
    if is_here:
        assert key_for(place, key_file=None, data_dir=tmp_path) == "wa_local"
    else:
        with pytest.raises(WagateError) as refused:
            key_for(place, key_file=None, data_dir=tmp_path)
        assert refused.value.code is Code.UNAUTHORIZED


def test_a_key_file_goes_before_the_variable_and_that_before_the_local_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of("127.0.0.1:1")
    (tmp_path / "up.key").write_text("wa_local\n")
    (tmp_path / "mine").write_text("wa_mine")
    monkeypatch.setenv("WAGATE_API_KEY", " wa_variable ")
    assert key_for(place, key_file=tmp_path / "mine", data_dir=tmp_path) == "wa_mine"
    assert key_for(place, key_file=None, data_dir=tmp_path) == "wa_variable"
    monkeypatch.delenv("WAGATE_API_KEY")
    assert key_for(place, key_file=None, data_dir=tmp_path) == "wa_local"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WagateError(Code.VALIDATION_ERROR, ""), Exit.WRONG_USE),
        (WagateError(Code.PAYLOAD_TOO_LARGE, ""), Exit.WRONG_USE),
        (WagateError(Code.UNAUTHORIZED, ""), Exit.NOT_ALLOWED),
        (WagateError(Code.FORBIDDEN, ""), Exit.NOT_ALLOWED),
        (WagateError(Code.NOT_FOUND, ""), Exit.NOT_FOUND),
        (WagateError(Code.CONFLICT, ""), Exit.FAILED),
        (WagateError(Code.CONFLICT, "", {"status": "stopped"}), Exit.NOT_CONNECTED),
        (WagateError(Code.CONFLICT, "", {"outcome": "indeterminate"}), Exit.UNKNOWN),
        (WagateError(Code.RATE_LIMITED, "", retry_after=3), Exit.TOO_FAST),
        (WagateError(Code.NOT_IMPLEMENTED, "", {"type": "image"}), Exit.FAILED),
        (WagateError(Code.NOT_IMPLEMENTED, "", {"status": "starting"}), Exit.NOT_CONNECTED),
        (WagateError(Code.WHATSAPP_ERROR, ""), Exit.FAILED),
        (WagateError(Code.UNAVAILABLE, ""), Exit.NOT_CONNECTED),
        (WagateError(Code.TIMEOUT, "", {"outcome": "indeterminate"}), Exit.UNKNOWN),
        (WagateError(Code.TIMEOUT, "", {"outcome": "not_sent"}), Exit.NOT_CONNECTED),
        (WagateError(Code.TIMEOUT, ""), Exit.UNKNOWN),
        (WagateError(Code.INTERNAL, "", {"outcome": "sent"}), Exit.UNKNOWN),
        (WagateError(Code.INTERNAL, ""), Exit.FAILED),
    ],
)
def test_an_error_has_its_exit_code(error: WagateError, code: Exit) -> None:
    assert exit_of(error) is code


def test_advice_fits_the_error() -> None:
    assert "3 s" in (advice_on(WagateError(Code.RATE_LIMITED, "", retry_after=3)) or "")
    assert "pair" in (advice_on(WagateError(Code.CONFLICT, "", {"status": "logged_out"})) or "")
    assert "chats messages" in (advice_on(WagateError(Code.TIMEOUT, "", {"outcome": "indeterminate"})) or "")
    assert advice_on(WagateError(Code.VALIDATION_ERROR, "")) is None


def test_people_are_named_by_number_or_jid() -> None:
    assert jid_of("+49 (170) 123-4567") == "491701234567@s.whatsapp.net"
    assert jid_of("1203630@g.us") == "1203630@g.us"
    assert jid_of("\N{ARABIC-INDIC DIGIT ONE}23456") == "\N{ARABIC-INDIC DIGIT ONE}23456"


def test_times_are_in_utc() -> None:
    assert time_of(86_400_000) == "1970-01-02 00:00:00Z"
    assert (time_of(0), time_of(None, none="never")) == ("-", "never")


def test_what_others_wrote_is_shown_and_not_obeyed() -> None:
    assert printable("\x1b[2Jhi\x07\x9b\u202e") == "\\x1b[2Jhi\\x07\\x9b\\x202e"
    family = "\N{WOMAN}\u200d\N{GIRL} \N{HEBREW LETTER SHIN}\n\ttab"
    assert printable(family) == family
    assert text_of({"a": "\x9b\u2028\x1b"}, is_line=True) == '{"a":"\\u009b\\u2028\\u001b"}'
