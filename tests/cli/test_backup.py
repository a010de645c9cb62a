"""`wagate backup` while the gateway works, and `wagate restore` into another place."""

import os
import shutil
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.shell import Shell
from tests.support.databases import postgres
from tests.support.stack import Stack, eventually, free_port, running

NUMBER = "628410000001"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product of this file's own: its sandbox outlives its node."""
    with running(tmp_path_factory.mktemp("backup") / "data") as product:
        yield product


@contextmanager
def traffic(stack: Stack, session: str, person: str) -> Iterator[None]:
    """Both sides write without a pause."""
    over = threading.Event()

    def write() -> None:
        count = 0
        while not over.is_set():
            count += 1
            stack.says(person, NUMBER, f"in {count}")
            stack.send(session, f"{person}@s.whatsapp.net", f"out {count}")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(600)
def test_a_backup_under_traffic_is_whole_and_the_node_stays_well(own: Stack, tmp_path: Path) -> None:
    """Three in a row; then the last one is restored elsewhere, and works there without being paired again."""
    shell = Shell(own.environment)
    session = own.paired(NUMBER)
    own.person("628420000001", "Ada")
    node = own.node.pid
    with traffic(own, session, "628420000001"):
        jid = "628420000001@s.whatsapp.net"
        chat = f"/sessions/{session}/chats/{jid}"
        eventually(lambda: own.rest.get(chat).status_code == httpx.codes.OK, "the chat is stored")
        eventually(lambda: len(own.stored(session, jid)) > 10, "messages flow")
        for number in range(3):
            made = shell.well("backup", str(tmp_path / f"{number}.tar.gz"), "--json").json
            assert made["devices"] == 1
            assert set(made["files"]) == {"wagate.db", "up.key", f"devices/{session}/device.db"}
        before = len(own.stored(session, jid))
    assert own.node.pid == node
    assert own.status(session) == "working"
    archive = tmp_path / "2.tar.gz"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []

    # The old node must not run beside the restored one: this session of it is stopped.
    own.rest.post(f"/sessions/{session}:stop").raise_for_status()
    wire = own.sandbox.get("/wire").json()
    elsewhere = shell.but(
        WAGATE_DATA_DIR=str(tmp_path / "restored"),
        WAGATE_GRPC_PORT=str(free_port()),
        WAGATE_REALTIME_PORT=str(free_port()),
        WAGATE_WIRE_PROXY=wire["proxy"],
        WAGATE_WIRE_ROOT_KEY=wire["rootKey"],
        SSL_CERT_FILE=wire["caFile"],
        WAGATE_SESSION=session,
    )
    told = elsewhere.well("restore", str(archive)).out
    assert "Never start the old one again" in told
    assert "WAGATE_RATE_PER_MIN=0" in told
    calling = elsewhere.but(WAGATE_URL=f"http://127.0.0.1:{elsewhere.environment['WAGATE_GRPC_PORT']}")
    with elsewhere.starting("serve") as node_elsewhere:
        node_elsewhere.shows("serves gRPC")

        def works() -> bool:
            shown = calling.run("sessions", "show", "--json")
            return shown.code == 0 and shown.json["status"] == "working"

        eventually(works, "the session works without being paired")
        kept = calling.well("chats", "messages", jid, "--all", "--json").json["data"]
        assert 10 < len(kept) <= before
        sent = calling.well("send", jid, "from the restored one", "--json").json
        assert sent["status"] == "sent"
        eventually(
            lambda: any(m["id"] == sent["waMessageId"] for m in own.heard("628420000001")),
            "Ada reads what the restored one sends",
        )
    own.rest.post(f"/sessions/{session}:start").raise_for_status()


def test_nothing_is_overwritten(own: Stack, tmp_path: Path) -> None:
    shell = Shell(own.environment)
    archive = tmp_path / "backup.tar.gz"
    shell.well("backup", str(archive))
    content = archive.read_bytes()
    again = shell.run("backup", str(archive))
    assert (again.code, "already" in again.err) == (1, True)
    assert archive.read_bytes() == content
    # The gateway runs on that directory, and it is not empty either.
    refused = shell.run("restore", str(archive))
    assert refused.code == 5
    assert "another node serves the database" in refused.err
    target = shell.but(WAGATE_DATA_DIR=str(tmp_path / "other"))
    target.well("keys", "list")
    refused = target.run("restore", str(archive), "--json")
    assert (refused.code, "Nothing is overwritten" in refused.err) == (1, True)


def test_a_damaged_backup_is_refused_and_leaves_nothing(own: Stack, tmp_path: Path) -> None:
    archive = tmp_path / "whole.tar.gz"
    Shell(own.environment).well("backup", str(archive))
    content = archive.read_bytes()
    flipped = bytearray(content)
    flipped[len(flipped) // 2] ^= 0xFF
    (tmp_path / "cut.tar.gz").write_bytes(content[: len(content) // 2])
    (tmp_path / "flipped.tar.gz").write_bytes(flipped)
    (tmp_path / "no backup.tar.gz").write_bytes(b"something else")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "parts", filter="data")
    changed = tmp_path / "parts" / "wagate.db"
    with closing(sqlite3.connect(changed)) as database:
        database.execute("DELETE FROM api_key")
        database.commit()
    for name, names in {
        "changed": ("manifest.json", "wagate.db", "up.key"),
        "missing": ("manifest.json", "up.key"),
        "headless": ("up.key",),
    }.items():
        with tarfile.open(tmp_path / f"{name}.tar.gz", "w:gz") as packed:
            for part in names:
                packed.add(tmp_path / "parts" / part, part)
    with tarfile.open(tmp_path / "escaping.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "parts" / "manifest.json", "manifest.json")
        packed.add(changed, "../../outside")

    target = Shell(own.environment).but(WAGATE_DATA_DIR=str(tmp_path / "target"))
    for name in ("cut", "flipped", "no backup", "changed", "missing", "headless", "escaping"):
        refused = target.run("restore", str(tmp_path / f"{name}.tar.gz"))
        assert (refused.code, "Traceback" in refused.err) == (2, False), (name, refused)
        left = [path.name for path in (tmp_path / "target").iterdir() if path.suffix != ".lock"]
        assert left == [], name
    assert target.run("restore", str(tmp_path / "none.tar.gz")).code == 3
    assert not (tmp_path / "outside").exists()


def test_a_disk_without_room_leaves_nothing_half_done(own: Stack, tmp_path: Path) -> None:
    shell = Shell(own.environment)
    target = "/proc/backup.tar.gz" if os.geteuid() == 0 else str(tmp_path / "closed" / "b.tar.gz")
    (tmp_path / "closed").mkdir(mode=0o500)
    refused = shell.run("backup", target)
    assert (refused.code, "could not be written" in refused.err) == (1, True)


def test_where_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    shell = Shell({**os.environ, "WAGATE_DATA_DIR": str(tmp_path / "nothing")})
    refused = shell.run("backup", str(tmp_path / "b.tar.gz"))
    assert (refused.code, "wagate.db" in refused.err) == (3, True)
    assert not (tmp_path / "nothing").exists()


def test_on_postgresql_it_says_what_to_run(own: Stack, tmp_path: Path) -> None:
    shutil.copytree(
        own.data_dir / "devices", tmp_path / "data" / "devices", ignore=shutil.ignore_patterns("*-*")
    )
    with postgres() as server:
        shell = Shell(
            {
                **os.environ,
                "WAGATE_DATA_DIR": str(tmp_path / "data"),
                "WAGATE_DATABASE_URL": server.create("backup").replace("postgres@", "postgres:s3cret@"),
            }
        )
        made = shell.well("backup", str(tmp_path / "b.tar.gz"))
        assert "pg_dump --format=custom --file=wagate.pgdump --dbname=" in made.out
        assert "s3cret" not in made.out
        assert "the database and" not in made.out
    elsewhere = Shell({**os.environ, "WAGATE_DATA_DIR": str(tmp_path / "elsewhere")})
    mixed = elsewhere.run("restore", str(tmp_path / "b.tar.gz"))
    assert (mixed.code, "WAGATE_DATABASE_URL" in mixed.err) == (1, True)
    there = elsewhere.but(WAGATE_DATABASE_URL="postgresql+asyncpg://nobody@127.0.0.1:1/x")
    assert "pg_restore" in there.well("restore", str(tmp_path / "b.tar.gz")).out
