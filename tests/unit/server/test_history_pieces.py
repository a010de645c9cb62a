"""Cutting chunks of history."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.whatsapp.history_pieces import MESSAGES, PIECE_BYTES, SMALL_ITEMS, header_of, pieces_of
from tests.support.histories import addresses, chat, history, said, told


def pieces(chunk: HistorySync) -> list[HistorySync]:
    return [HistorySync.FromString(piece) for piece in pieces_of(told(chunk))]


def person(number: int) -> str:
    return f"6281200{number:05d}@s.whatsapp.net"


@given(st.lists(st.integers(0, 3 * MESSAGES), max_size=6))
def test_every_message_is_in_one_piece_oldest_of_its_chat_first(sizes: list[int]) -> None:
    chunk = history(
        *(
            chat(*(said(f"M{n}", chat=person(number)) for n in range(size)), jid=person(number))
            for number, size in enumerate(sizes)
        )
    )
    cut = pieces(chunk)
    found: dict[str, list[str]] = {person(number): [] for number in range(len(sizes))}
    for piece in cut:
        assert piece.syncType == HistorySync.RECENT
        assert sum(len(one.messages) for one in piece.conversations) <= MESSAGES
        for one in piece.conversations:
            found[one.ID] += [entry.message.key.ID for entry in one.messages]
    assert list(found.values()) == [[f"M{n}" for n in range(size)] for size in sizes]


def test_every_part_of_a_chat_says_whose_it_is() -> None:
    one = chat(*(said(f"M{n}") for n in range(2 * MESSAGES)))
    one.name, one.unreadCount = "Ada", 3
    assert [(p.conversations[0].name, p.conversations[0].unreadCount) for p in pieces(history(one))] == [
        ("Ada", 3)
    ] * 2


def test_long_messages_make_small_pieces() -> None:
    cut = pieces(history(chat(*(said(f"M{n}", "x" * (PIECE_BYTES // 3)) for n in range(12)))))
    assert len(cut) > 2
    assert max(piece.ByteSize() for piece in cut) < 2 * PIECE_BYTES


def test_empty_chats_and_addresses_are_cut_too() -> None:
    chunk = history(*(chat(jid=person(number)) for number in range(MESSAGES + 1)))
    chunk.phoneNumberToLidMappings.extend(
        addresses(*((person(number), f"{number + 1}000@lid") for number in range(SMALL_ITEMS + 1)))
    )
    assert [len(piece.phoneNumberToLidMappings) for piece in pieces(chunk)] == [SMALL_ITEMS, 1, 0, 0]
    assert [len(piece.conversations) for piece in pieces(chunk)] == [0, 0, MESSAGES, 1]


def test_what_has_no_place_in_the_stored_copy_is_left_out() -> None:
    chunk = HistorySync(
        syncType=HistorySync.INITIAL_STATUS_V3, statusV3Messages=[said("S1", "a status")], nctSalt=b"secret"
    )
    chunk.callLogRecords.add()
    chunk.globalSettings.fontSize = 3
    assert pieces(chunk) == [HistorySync(syncType=HistorySync.INITIAL_STATUS_V3)]


def test_a_kind_of_the_future_is_what_nothing_waits_for() -> None:
    content = told(history(chat(said("M1", "hello")))).replace(b"\x08\x03", b"\x08\x63", 1)
    assert header_of(content).kind == HistorySync.NON_BLOCKING_DATA
    (piece,) = pieces_of(content)
    assert HistorySync.FromString(piece).conversations[0].messages[0].message.key.ID == "M1"


def test_a_chunk_that_is_cut_off_is_none() -> None:
    whole = told(history(chat(said("M1", "hello"))))
    for content in (whole[:-1], b"\x0a\x80", b"\x0a\x05\x12\x7f\x00\x00\x00", b"\x0b\x0c", b"\xff" * 12):
        with pytest.raises(ValueError, match=r"cut off|wire type"):
            list(pieces_of(content))


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_to_be_no_chunk(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert list(pieces_of(content))
