import asyncio
import sqlite3
from pathlib import Path

import pytest

from sandbox.accounts import Accounts, PreKey, SignedPreKey
from sandbox.jid import JID
from sandbox.mailbox import StanzaKey
from sandbox.state import State, StateError

INSERT = "INSERT INTO meta VALUES (?, ?)"


def opened(folder: Path) -> State:
    return State(folder / "network.db", lambda: None)


async def test_callbacks_come_after_the_commit_and_in_order(tmp_path: Path) -> None:
    state = opened(tmp_path)
    order: list[str] = []
    state.write(INSERT, ("a", b"1"))
    state.when_stored(lambda: order.append("first"))
    state.write(INSERT, ("b", b"2"))
    state.when_stored(lambda: order.append("second"))
    assert order == []
    await state.stored()
    assert order == ["first", "second"]
    assert await state.read("SELECT name FROM meta ORDER BY name", ()) == [("a",), ("b",)]
    await state.close()


async def test_a_callback_that_fails_keeps_nobody_waiting(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.when_stored(lambda: 1 / 0)  # type: ignore[arg-type] # it never returns
    async with asyncio.timeout(10):
        await state.stored()
    await state.close()


async def test_closing_commits_what_is_queued(tmp_path: Path) -> None:
    state = opened(tmp_path)
    for number in range(1000):
        state.write(INSERT, (str(number), b""))
    await state.close()
    again = opened(tmp_path)
    assert again.load("SELECT count(*) FROM meta") == [(1000,)]
    await again.close()


async def test_a_failed_commit_ends_it(tmp_path: Path) -> None:
    failed = asyncio.Event()
    state = State(tmp_path / "network.db", failed.set)
    state.write("INSERT INTO nothing VALUES (1)", ())
    never: list[str] = []
    state.when_stored(lambda: never.append("promised"))
    async with asyncio.timeout(10):
        await failed.wait()
    await state.close()
    assert never == []


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    state = opened(tmp_path)
    with pytest.raises(StateError, match="does another sandbox use it"):
        opened(tmp_path)
    await state.close()


async def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    await opened(tmp_path).close()
    database = sqlite3.connect(tmp_path / "network.db")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(StateError, match="newer version"):
        opened(tmp_path)


async def test_accounts_come_back_as_they_were(tmp_path: Path) -> None:
    # Given an account with two devices, keys, and mail, of which some is gone again
    state = opened(tmp_path)
    accounts = Accounts(state)
    account = accounts.create("49170", "Ann", "person")
    accounts.rename(account, "Anna")
    devices = [
        accounts.add_device(
            account,
            accounts.reserve_device(account),
            noise=bytes([number]) * 32,
            platform="test",
            device_identity=b"identity",
            registration=b"\0\0\0\1",
            identity=bytes(32),
            signed_prekey=SignedPreKey(b"\0\0\1", bytes(32), bytes(64)),
        )
        for number in range(3)
    ]
    keys = [PreKey(bytes([0, 0, number]), bytes([number]) * 32) for number in range(1, 4)]
    signed = SignedPreKey(b"\0\0\2", b"s" * 32, b"t" * 64)
    accounts.publish_keys(devices[0], b"\0\0\0\2", b"i" * 32, signed, keys)
    assert accounts.take_prekey(devices[0]) == keys[0]
    for number in range(3):
        devices[0].mailbox.put(StanzaKey("message", str(number), "", "1@lid"), bytes([number]))
    devices[0].mailbox.settle(StanzaKey("message", "1", "", "1@lid"))
    devices[1].mailbox.put(StanzaKey("message", "x", "", "1@lid"), b"x")
    accounts.remove_device(devices[1])
    await state.close()
    # When they are loaded again
    state = opened(tmp_path)
    accounts = Accounts(state)
    # Then nothing has changed
    again = accounts.find(JID(account.lid, "lid"))
    assert again is not None
    assert again is accounts.find(JID("49170", "s.whatsapp.net"))
    assert (again.name, again.kind, again.identity) == ("Anna", "person", account.identity)
    assert again.signed_prekey == account.signed_prekey
    assert again.device_numbers() == [0, 1, 3]
    device = again.devices[1]
    assert (device.noise, device.registration, device.identity) == (bytes(32), b"\0\0\0\2", b"i" * 32)
    assert device.signed_prekey == signed
    assert [accounts.take_prekey(device) for _ in range(3)] == [*keys[1:], None]
    sent: list[bytes] = []
    device.mailbox.open(lambda _tag, stanza: sent.append(stanza))
    assert sent == [b"\0", b"\2"]
    # And a number that was taken is not given again
    assert accounts.reserve_device(again) == 4
    await state.close()


async def test_device_numbers_end_at_255(tmp_path: Path) -> None:
    state = opened(tmp_path)
    accounts = Accounts(state)
    account = accounts.create("49170", "", "account")
    account.last_device = 254
    assert accounts.reserve_device(account) == 255
    with pytest.raises(ValueError, match="no number is left"):
        accounts.reserve_device(account)
    await state.close()
