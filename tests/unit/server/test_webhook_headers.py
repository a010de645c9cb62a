"""What a webhook's custom headers may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.events.webhooks.headers import HEADERS, VALUE_LENGTH, header_problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer abc.def-ghi_~+/="),
        ("X-Tenant", ""),
        ("x-tenant", "one two\tthree"),
        ("!#$%&'*+-.^_`|~09", "x"),
        ("Content-Type", "application/cloudevents+json"),
        ("User-Agent", "ours"),
        ("X-Webhooks", "not one of ours"),
        ("X", "x" * VALUE_LENGTH),
    ],
)
def test_good(name: str, value: str) -> None:
    assert header_problems({name: value}) == {}


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "X Tenant",
        "X:Tenant",
        ":authority",
        "X-Tenant\r\nX-Evil",
        "X-Tenant\n",
        "X-Ünant",
        "X\0",
        "x" * 101,
    ],
)
def test_names_that_no_header_has(name: str) -> None:
    (problem,) = header_problems({name: "x"}).values()
    assert "no header has such a name" in problem


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "TRANSFER-ENCODING", "Connection", "Upgrade", "TE", "Trailer",
             "Keep-Alive", "Proxy-Authorization", "Expect", "Content-Encoding"]
)  # fmt: skip
def test_what_http_itself_sets(name: str) -> None:
    (problem,) = header_problems({name: "x"}).values()
    assert "HTTP itself" in problem


@pytest.mark.parametrize("name", ["X-Webhook-Hmac", "x-webhook-timestamp", "X-WEBHOOK-ANYTHING"])
def test_the_gateways_own(name: str) -> None:
    (problem,) = header_problems({name: "x"}).values()
    assert "gateway's own" in problem


@pytest.mark.parametrize(
    "value",
    [
        "x\r\nX-Evil: 1",
        "x\n",
        "\rx",
        " x",
        "x ",
        "\t",
        "x\0",
        "ü",
        "x\x7f",
        "x" * (VALUE_LENGTH + 1),
        5,
        None,
        ["x"],
    ],
)
def test_values_that_no_header_has_are_refused_and_not_repeated(value: object) -> None:
    ((field, problem),) = header_problems({"X-Tenant": value}).items()
    assert field == "customHeaders.X-Tenant"
    assert "must be a string" in problem
    assert "Evil" not in problem


def test_each_is_named() -> None:
    problems = header_problems({"Host": "x", "X-Good": "x", "X-Bad": "\n"})
    assert set(problems) == {"customHeaders.Host", "customHeaders.X-Bad"}


def test_a_name_is_there_once_however_it_is_written() -> None:
    assert header_problems({"X-Tenant": "a", "x-tenant": "b"}) == {"customHeaders.x-tenant": "given twice"}


def test_not_too_many() -> None:
    assert header_problems({f"X-{n}": "x" for n in range(HEADERS)}) == {}
    assert set(header_problems({f"X-{n}": "x" for n in range(HEADERS + 1)})) == {"customHeaders"}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_whatever_is_taken_stays_on_its_line(headers: dict[str, str]) -> None:
    if not header_problems(headers):
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        assert text.encode("ascii").count(b"\n") == len(headers)
        assert text.count("\r") == len(headers)
        assert "\0" not in text
