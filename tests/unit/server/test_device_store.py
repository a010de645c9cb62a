"""The one look into a device store."""

import sqlite3
import threading
from pathlib import Path

import pytest

from server.whatsapp.device_store import holds_device, note_unlinked, store_name


def make_store(folder: Path, *, linked: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(folder / "device.db")
    store.execute("CREATE TABLE IF NOT EXISTS whatsmeow_device (jid TEXT)")
    store.execute("DELETE FROM whatsmeow_device")
    if linked:
        store.execute("INSERT INTO whatsmeow_device VALUES ('62811@s.whatsapp.net')")
    store.commit()
    store.close()


def test_without_a_store_or_a_device_in_it_there_is_none(tmp_path: Path) -> None:
    assert not holds_device(tmp_path / "nowhere")
    (tmp_path / "device.db").write_bytes(b"")
    assert not holds_device(tmp_path)
    make_store(tmp_path / "unpaired", linked=False)
    assert not holds_device(tmp_path / "unpaired")


def test_a_store_that_is_filled_later_is_found(tmp_path: Path) -> None:
    make_store(tmp_path, linked=False)
    assert not holds_device(tmp_path)
    make_store(tmp_path, linked=True)
    assert holds_device(tmp_path)


@pytest.mark.parametrize("name", ["plain", "with space", "100%?", "#frag&x=1"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    make_store(tmp_path / name, linked=True)
    assert holds_device(tmp_path / name)
    assert "?" not in store_name(tmp_path / name).partition("?_journal_mode")[0]


def test_a_store_is_looked_into_only_once(tmp_path: Path) -> None:
    make_store(tmp_path, linked=True)
    assert holds_device(tmp_path)
    # whoever looks again meets this, as the library would meet the one who looks
    (tmp_path / "device.db").write_bytes(b"no database any more")
    assert holds_device(tmp_path)


def test_many_ask_at_once_and_one_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(tmp_path, linked=True)
    looks: list[object] = []
    connect = sqlite3.connect

    def counted(*args: object, **options: object) -> sqlite3.Connection:
        looks.append(args)
        return connect(*args, **options)  # type: ignore[call-overload,no-any-return] # passed through

    monkeypatch.setattr(sqlite3, "connect", counted)
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(holds_device(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8
    assert len(looks) == 1


def test_an_unlinked_store_is_not_opened_again(tmp_path: Path) -> None:
    make_store(tmp_path, linked=True)
    assert holds_device(tmp_path)
    note_unlinked(tmp_path)
    assert not holds_device(tmp_path)
    note_unlinked(tmp_path / "nowhere")


def test_a_new_store_in_the_same_folder_is_another_one(tmp_path: Path) -> None:
    make_store(tmp_path, linked=True)
    assert holds_device(tmp_path)
    note_unlinked(tmp_path)
    # the library keeps the old file open: its inode is not given to another
    with (tmp_path / "device.db").open("rb"):
        (tmp_path / "device.db").unlink()
        make_store(tmp_path, linked=True)
        assert holds_device(tmp_path)
