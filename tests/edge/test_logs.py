"""A log stays within bounds while a process has it open."""

import os
from pathlib import Path

import pytest

from server.supervisor import logs
from server.supervisor.logs import Log


def test_a_long_log_is_moved_aside_under_the_writers_feet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LIMIT", 10)
    log = Log(tmp_path, "node")
    writer = log.open()
    try:
        os.write(writer, b"the first words\n")
        log.bound()
        os.write(writer, b"the next\n")
        log.bound()
    finally:
        os.close(writer)

    assert log.path.read_bytes() == b"the next\n"
    assert (tmp_path / "node.log.1").read_bytes() == b"the first words\n"
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_the_last_line_is_the_last_that_says_something(tmp_path: Path) -> None:
    log = Log(tmp_path, "node")
    assert log.last_line() == ""

    log.path.write_bytes(b"x" * 9000 + b"\nfirst\n  second \xff \n\n \n")

    assert log.last_line() == "second \N{REPLACEMENT CHARACTER}"
