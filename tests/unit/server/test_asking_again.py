"""Which of a device's keys are deleted, so that its library asks for a message again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.whatsapp.asking_again import address, forget_senders
from server.whatsapp.incoming import Repeated
from server.whatsapp.port import ClientError

TABLES = """
CREATE TABLE whatsmeow_sessions (our_jid TEXT, their_id TEXT, session BLOB);
CREATE TABLE whatsmeow_sender_keys (our_jid TEXT, chat_id TEXT, sender_id TEXT, sender_key BLOB);
INSERT INTO whatsmeow_sessions VALUES ('me', '11_1:2', ''), ('me', '11_1:0', ''), ('me', '22:0', '');
INSERT INTO whatsmeow_sender_keys VALUES ('me', '3@g.us', '11_1:2', ''), ('me', '4@g.us', '11_1:2', '');
"""


@pytest.fixture
def device(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "device.db")) as store:
        store.executescript(TABLES)
    return tmp_path


def kept(device: Path) -> tuple[list[str], list[str]]:
    with closing(sqlite3.connect(device / "device.db")) as store:
        sessions = store.execute("SELECT their_id FROM whatsmeow_sessions ORDER BY 1").fetchall()
        keys = store.execute("SELECT chat_id FROM whatsmeow_sender_keys ORDER BY 1").fetchall()
    return [row[0] for row in sessions], [row[0] for row in keys]


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("11:2@lid", "11_1:2"),
        ("11@lid", "11_1:0"),
        ("22:7@s.whatsapp.net", "22:7"),
        ("22@s.whatsapp.net", "22:0"),
    ],
)
def test_a_device_has_a_name_in_the_store(sender: str, name: str) -> None:
    assert address(sender) == name


async def test_only_the_sender_s_keys_are_deleted(device: Path) -> None:
    await forget_senders(device, [Repeated("M1", "11:2@lid", "3@g.us")])
    assert kept(device) == (["11_1:0", "22:0"], ["4@g.us"])


async def test_a_store_that_cannot_be_changed_is_told(tmp_path: Path) -> None:
    (tmp_path / "device.db").write_bytes(b"no database" * 100)
    with pytest.raises(ClientError, match="not a database"):
        await forget_senders(tmp_path, [Repeated("M1", "11:2@lid", "11@lid")])
