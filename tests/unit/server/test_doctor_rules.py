"""Rules of `wagate doctor` that no machine of a test can be made to break."""

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path

import pytest

from server.config import Settings
from server.doctor.clock_and_whatsapp import check, clock
from server.doctor.examination import examine
from server.doctor.findings import Finding, Level, ok
from server.doctor.settings import unknown
from server.doctor.storage import file_system, room
from server.doctor.subject import Subject
from server.remote.place import place_of
from server.supervisor.settings import UpSettings

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv/data nfs4 rw 0 0
/dev/sdb1 /srv/data\\040base xfs rw 0 0
//host/share /srv/data/inner cifs rw 0 0
"""


@pytest.fixture
def subject() -> Subject:
    return Subject(Settings(), UpSettings(), place_of("127.0.0.1:1"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srv", "ext4"),
        ("/srv/data", "nfs4"),
        ("/srv/data/deep/er", "nfs4"),
        ("/srv/data base/x", "xfs"),
        ("/srv/database", "ext4"),
        ("/srv/data/inner", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_room_on_the_disk() -> None:
    assert [room("/", size << 20).level for size in (5000, 1024, 500, 99)] == [
        Level.OK, Level.OK, Level.WARNING, Level.BROKEN,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (0, Level.OK, ""),
        (29, Level.OK, ""),
        (-29, Level.OK, ""),
        (40, Level.BROKEN, "behind"),
        (-40, Level.BROKEN, "ahead"),
    ],
)
def test_the_clock_may_be_half_a_minute_off(seconds: int, level: Level, words: str) -> None:
    now = 1_800_000_000
    found = clock(formatdate(now + seconds, usegmt=True), now * 1000)
    assert (found.level, words in found.message) == (level, True)


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_date(date: str | None) -> None:
    assert clock(date, 0).level is Level.NOTE


def test_variables_that_nobody_reads_are_named() -> None:
    known = {"WAGATE_HTTP_PORT": "1", "WAGATE_SESSION": "x", "PATH": "/", "WAGATE_WIRE_PROXY": ""}
    assert list(unknown(known)) == []
    (close,) = unknown({"WAGATE_DATABASE_URI": "secret"})
    assert "WAGATE_DATABASE_URL" in close.advice
    assert "secret" not in f"{close}"
    (far,) = unknown({"WAGATE_ZZZZZZ": ""})
    assert "docs/operations.md" in far.advice


async def test_a_check_that_fails_or_hangs_hides_no_other(subject: Subject) -> None:
    over = asyncio.Event()

    async def fails(_subject: Subject) -> Sequence[Finding]:
        raise RuntimeError("no such thing")

    async def hangs(_subject: Subject) -> Sequence[Finding]:
        await over.wait()
        return []

    async def works(_subject: Subject) -> Sequence[Finding]:
        return [ok("it", "works")]

    ended: list[str] = []
    checks = {"first": fails, "second": hangs, "third": works}
    examined = await examine(subject, checks, within=0.01, done=ended.append)
    assert [each.check for each in examined] == ["first", "second", "third"]
    assert [each.findings[0].level for each in examined] == [Level.BROKEN, Level.BROKEN, Level.OK]
    assert "no such thing" in examined[0].findings[0].message
    assert "0.01 s" in examined[1].findings[0].message
    assert sorted(ended) == ["first", "second", "third"]


async def test_whatsapp_is_not_looked_for_behind_a_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "NO_PROXY", "no_proxy", "WAGATE_WIRE_PROXY", "WAGATE_WIRE_ROOT_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    up = UpSettings(data_dir=tmp_path, sandbox_port=1)
    (found,) = await check(Subject(Settings(), up, place_of("127.0.0.1:1")))
    assert (found.level, found.where) == (Level.NOTE, "WhatsApp")
    assert "HTTPS_PROXY" in found.message
