"""JIDs that callers give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.whatsapp.jid import GROUP, LID, PHONE, Jid, parse_jid

DIGITS = st.text("0123456789", min_size=5, max_size=13)


@given(first=st.sampled_from("123456789"), rest=DIGITS, server=st.sampled_from([PHONE, LID]))
def test_people_are_read_and_written_alike(first: str, rest: str, server: str) -> None:
    text = f"{first}{rest}@{server}"
    assert parse_jid(text) == Jid(first + rest, server)
    assert str(parse_jid(text)) == text


@given(creator=DIGITS, time=DIGITS)
def test_groups_are_read_and_written_alike(creator: str, time: str) -> None:
    for text in (f"{creator}@{GROUP}", f"{creator}-{time}@{GROUP}"):
        assert str(parse_jid(text)) == text
        assert parse_jid(text).is_group


@given(device=st.integers(0, 9999), server=st.sampled_from([PHONE, LID]))
def test_a_device_is_dropped(device: int, server: str) -> None:
    assert parse_jid(f"628110000001:{device}@{server}") == Jid("628110000001", server)


@given(st.text())
def test_whatever_is_read_is_a_jid_and_reads_the_same_again(text: str) -> None:
    try:
        jid = parse_jid(text)
    except ValueError:
        return
    assert parse_jid(str(jid)) == jid


@given(
    user=st.text(st.sampled_from("0123456789-:+ .\n٣@"), max_size=8),
    server=st.sampled_from([PHONE, LID, GROUP, "s.whatsapp.net\n"]),
)
def test_what_is_almost_a_jid_is_read_as_one_or_refused(user: str, server: str) -> None:
    try:
        jid = parse_jid(f"{user}@{server}")
    except ValueError:
        return
    assert jid.user.isascii()
    assert jid.user.replace("-", "").isdigit()
    assert ("-" in jid.user) <= jid.is_group


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "expected"),
        ("628110000001", "expected"),
        ("628110000001@", "must end in"),
        ("628110000001@c.us", "must end in"),
        ("628110000001@s.whatsapp.net@lid", "must end in"),
        ("status@broadcast", "must end in"),
        ("120363000000000000@newsletter", "must end in"),
        ("@s.whatsapp.net", "digits"),
        ("+628110000001@s.whatsapp.net", "digits"),
        ("0811000001@s.whatsapp.net", "digits"),
        ("628 110@s.whatsapp.net", "digits"),
        ("1234@s.whatsapp.net", "digits"),
        ("1234567890123456@s.whatsapp.net", "digits"),
        ("٦٢٨١١٠٠٠٠٠٠١@s.whatsapp.net", "digits"),
        ("628110000001\n@s.whatsapp.net", "digits"),
        ("628110000001:x@s.whatsapp.net", "device"),
        ("628110000001:@s.whatsapp.net", "device"),
        ("628110000001:12345@s.whatsapp.net", "device"),
        ("628110000001:1:2@s.whatsapp.net", "device"),
        ("120363000000000000:1@g.us", "digits"),
        ("12345-@g.us", "digits"),
    ],
)
def test_what_is_no_jid_is_refused_with_what_is_wrong(text: str, about: str) -> None:
    with pytest.raises(ValueError, match=about):
        parse_jid(text)


def test_kinds_are_told_apart() -> None:
    assert Jid("1", LID).is_lid
    assert not Jid("1", PHONE).is_lid
    assert not Jid("1", LID).is_group
