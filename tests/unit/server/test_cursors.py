"""Cursors: good for the list that they came from, unchanged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cursors import Cursors, page_size
from server.errors import Code, WagateError

POSITIONS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.text(), min_size=1).map(tuple)
CURSORS = Cursors(b"k" * 32)


def refused(cursor: str, scope: str = "chats:1") -> WagateError:
    with pytest.raises(WagateError) as caught:
        CURSORS.decode(scope, cursor)
    assert caught.value.code is Code.VALIDATION_ERROR
    assert set(caught.value.details) == {"cursor"}
    return caught.value


@given(scope=st.text(st.characters(codec="utf-8")), position=POSITIONS)
def test_a_position_comes_back(scope: str, position: tuple[int | str | bool, ...]) -> None:
    cursor = CURSORS.encode(scope, position)
    assert tuple(CURSORS.decode(scope, cursor)) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


@given(position=POSITIONS)
def test_a_cursor_of_another_list_is_refused(position: tuple[int | str | bool, ...]) -> None:
    refused(CURSORS.encode("chats:2", position))


@given(position=POSITIONS)
def test_a_cursor_of_another_installation_is_refused(position: tuple[int | str | bool, ...]) -> None:
    refused(Cursors(b"x" * 32).encode("chats:1", position))


@given(position=POSITIONS, data=st.data())
def test_a_changed_cursor_is_refused(position: tuple[int | str | bool, ...], data: st.DataObject) -> None:
    cursor = CURSORS.encode("chats:1", position)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != cursor[at]))
    refused(cursor[:at] + other + cursor[at + 1 :])


@given(position=POSITIONS, data=st.data())
def test_a_truncated_or_longer_cursor_is_refused(
    position: tuple[int | str | bool, ...], data: st.DataObject
) -> None:
    cursor = CURSORS.encode("chats:1", position)
    refused(cursor[: data.draw(st.integers(0, len(cursor) - 1))])
    refused(cursor + data.draw(st.text(min_size=1, max_size=5)))


def test_the_bits_that_base64_leaves_over_count_too() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for position in ((1,), (12,), (123,)):
        cursor = CURSORS.encode("chats:1", position)
        for other in set(alphabet) - {cursor[-1]}:
            refused(cursor[:-1] + other)
        refused(cursor + "=" * (-len(cursor) % 4 or 4))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    refused(text)


@given(st.binary(max_size=60))
def test_a_cursor_cannot_be_made_up(payload: bytes) -> None:
    refused(base64.urlsafe_b64encode(payload).decode().rstrip("="))


@pytest.mark.parametrize(
    ("asked", "given"),
    [(0, 50), (1, 1), (50, 50), (200, 200), (201, 200), (2**31 - 1, 200), (-1, 1), (-(2**31), 1)],
)
def test_the_page_size_is_clamped(asked: int, given: int) -> None:
    assert page_size(asked) == given
