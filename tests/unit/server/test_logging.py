"""What is logged cannot pretend to be another record."""

import logging

import pytest

from server.logging_setup import OneRecord


def formatted(message: str, error: Exception | None = None) -> str:
    given = (type(error), error, None) if error is not None else None
    return OneRecord().format(
        logging.LogRecord("server.x", logging.INFO, "x.py", 1, "id %s", (message,), given)
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\u2029"])
def test_a_line_end_begins_no_record(end: str) -> None:
    text = formatted(f"a{end}2026-01-01 00:00:00,000 INFO server.x: forged")
    _, *others = text.splitlines()
    assert "forged" in text
    assert all(line.startswith("    ") for line in others)


def test_terminals_get_no_commands() -> None:
    assert "\x1b" not in formatted("\x1b[2J")
    assert "\\x1b[2J" in formatted("\x1b[2J")


def test_tracebacks_stay_readable() -> None:
    text = formatted("x", ValueError("one\n2026-01-01 forged"))
    assert "\n    ValueError: one\n    2026-01-01 forged" in text


def test_ordinary_text_is_left_alone() -> None:
    assert formatted("שלום \U0001f680").endswith("id שלום \U0001f680")
