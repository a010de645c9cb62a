"""What a webhook's URL may be."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.events.webhooks.destination import is_public, literal
from server.events.webhooks.url import URL_LENGTH, url_problem

GOOD = [
    "https://receiver.example",
    "https://receiver.example/",
    "http://receiver.example:8080/events?from=wagate&x=%20",
    "HTTPS://Receiver.Example./events",
    "https://xn--bcher-kva.example/",
    "https://my_host.docker.example/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]:8443/",
    "https://receiver.example?x",
    "https://receiver.example/~a/(b);c=d,e@f:g!*'",
    "https://1password.example.com/",
    "https://receiver.example/" + "x" * (URL_LENGTH - len("https://receiver.example/")),
]
MALFORMED = {
    "": "required",
    "receiver.example/events": "https://",
    "//receiver.example/events": "https://",
    "ftp://receiver.example/": "https://",
    "file:///etc/passwd": "https://",
    "javascript:alert(1)": "https://",
    "https://": "host",
    "https:///events": "host",
    "https://?x": "host",
    "https:receiver.example": "host",
    "https://user@receiver.example/": "password",
    "https://user:password@receiver.example/": "password",
    "https://:@receiver.example/": "password",
    "https://receiver.example@evil.example/": "password",
    "https://receiver.example/#there": "fragment",
    "https://receiver.example#": "fragment",
    "https://receiver.example:0/": "port 0",
    "https://receiver.example:65536/": "port",
    "https://receiver.example:-1/": "port",
    "https://receiver.example:https/": "port",
    "https://receiver.example:\uff18\uff10/": "character",
    "https://receiver example/": "character",
    "https://receiver.example/a b": "character",
    "https://receiver.example/\n": "character",
    "https://receiver.example/\r\nX-Evil: 1": "character",
    "https://receiver.example/\0": "character",
    "\thttps://receiver.example/": "character",
    "https://receiver.example\\@evil.example/": "character",
    "https://bücher.example/": "character",
    "https://receiver.example/ü": "character",
    "https://-receiver.example/": "host",
    "https://receiver..example/": "host",
    "https://.example/": "host",
    f"https://{'x' * 64}.example/": "host",
    f"https://{'x.' * 130}example/": "host",
    "https://256.1.1.1/": "host",
    "https://1.2.3.4.5/": "host",
    "https://receiver.example%00/": "host",
    "https://%6c%6f%63%61%6c%68%6f%73%74/": "host",
    "https://[::1/": "host",
    "https://[::g]/": "host",
    "https://[1.2.3.4]/": "host",
    "https://[2606:4700::1%25eth0]/": "host",
    "https://receiver.example/" + "x" * URL_LENGTH: "at most",
}
PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433:8080/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://10.1.2.3/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://localhost/",
    "http://LOCALHOST.:8080/",
    "http://postgres:5432/",
    "http://metadata.google.internal/",
    "http://printer.local/",
]


@pytest.mark.parametrize("url", GOOD)
def test_good(url: str) -> None:
    assert url_problem(url, allow_private=False) is None


@pytest.mark.parametrize(("url", "word"), MALFORMED.items())
@pytest.mark.parametrize("allow_private", [False, True])
def test_malformed(url: str, word: str, allow_private: bool) -> None:
    problem = url_problem(url, allow_private=allow_private)
    assert problem is not None
    assert word in problem


@pytest.mark.parametrize("url", PRIVATE)
def test_private_networks_need_the_operators_word(url: str) -> None:
    problem = url_problem(url, allow_private=False)
    assert problem is not None
    assert "WAGATE_WEBHOOK_ALLOW_PRIVATE=1" in problem
    assert url_problem(url, allow_private=True) is None


def test_a_password_is_not_repeated() -> None:
    problem = url_problem("https://user:hunter2@receiver.example/", allow_private=False)
    assert problem is not None
    assert "hunter2" not in problem


@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.from_regex(r"\Ahttps?://[!-~]{0,40}\Z"))
@example("https://[")
@example("https://[::1]x/")
@example("https://x:y:z/")
def test_whatever_is_taken_leads_to_one_host_that_is_not_private(text: str) -> None:
    if url_problem(text, allow_private=False) is not None:
        return
    parts = urlsplit(text)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert (parts.username, parts.password, parts.fragment) == (None, None, "")
    address = literal(parts.hostname)
    assert address is None or is_public(address)
