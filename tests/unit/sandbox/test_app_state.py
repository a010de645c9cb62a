"""Two devices with the same key agree; what was tampered with is not believed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.accounts import Accounts
from sandbox.app_state import COLLECTIONS, AppState, AppStates, Change, ConflictError
from sandbox.state import State
from sandbox.sync_crypto import EMPTY_HASH, SyncError, SyncKey, added, removed
from sandbox.wire_protos import SyncActionValue, SyncdMutation, SyncdPatch

NAME = "regular_low"


def pin(chat: str, *, pinned: bool = True) -> Change:
    value = SyncActionValue()
    value.pinAction.pinned = pinned
    return Change(("pin_v1", chat), 5, value)


def pair() -> tuple[AppState, AppState]:
    """Two devices that share a key and nothing else yet."""
    key = SyncKey.generate()
    return AppState(key), AppState(SyncKey(key.id, key.data))


def test_what_one_device_sets_another_one_reads() -> None:
    writer, reader = pair()
    for version, changes in enumerate(
        ([pin("1@lid"), pin("2@lid")], [pin("1@lid", pinned=False)], [pin("3@lid")])
    ):
        kept = writer.append(NAME, version, writer.compose(NAME, changes))
        reader.restore(NAME, kept)
    assert reader.problem(NAME) == ""
    pins = {index[1]: value.pinAction.pinned for index, value in reader.values.items()}
    assert pins == {"1@lid": False, "2@lid": True, "3@lid": True}
    # The latest word comes last
    assert list(pins) == ["2@lid", "1@lid", "3@lid"]


def test_the_sum_does_not_depend_on_the_way() -> None:
    a, b, c = (bytes([n]) * 32 for n in range(3))
    assert added(EMPTY_HASH, [a, b, c]) == added(added(EMPTY_HASH, [c]), [b, a])
    assert removed(added(EMPTY_HASH, [a, b]), [a]) == added(EMPTY_HASH, [b])
    assert removed(added(EMPTY_HASH, [a, b]), [b, a]) == EMPTY_HASH


def test_what_is_removed_is_gone_and_can_be_set_again() -> None:
    writer, reader = pair()
    kept = [writer.append(NAME, 0, writer.compose(NAME, [pin("1@lid"), pin("2@lid")]))]
    patch = writer.compose(NAME, [])
    patch.mutations.append(writer.key.seal(("pin_v1", "1@lid"), 5, SyncActionValue(), removes=True))
    resealed(writer, patch, 2, [pin("2@lid")])
    kept.append(writer.append(NAME, 1, patch))
    kept.append(writer.append(NAME, 2, writer.compose(NAME, [pin("1@lid")])))
    for each, expected in zip(kept, (["1@lid", "2@lid"], ["2@lid"], ["2@lid", "1@lid"]), strict=True):
        reader.restore(NAME, each)
        assert reader.problem(NAME) == ""
        assert [index[1] for index in reader.values] == expected


def resealed(writer: AppState, patch: SyncdPatch, version: int, left: list[Change]) -> None:
    """Sets the MACs of a patch after which only some of the first patch's values are left."""
    first = SyncdPatch.FromString(writer.since(NAME, 0, 1)[0])
    names = {change.index[1] for change in left}
    kept = [
        mutation.record.value.blob[-32:]
        for mutation in first.mutations
        if writer.key.open(mutation).index[1] in names
    ]
    patch.snapshotMAC = writer.key.snapshot_mac(NAME, version, added(EMPTY_HASH, kept))
    patch.patchMAC = writer.key.patch_mac(NAME, version, patch)


def flip(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def change_value(patch: SyncdPatch) -> None:
    value = patch.mutations[0].record.value
    value.blob = flip(value.blob, 20)


def change_index(patch: SyncdPatch) -> None:
    index = patch.mutations[0].record.index
    index.blob = flip(index.blob, 0)


def cut_value(patch: SyncdPatch) -> None:
    patch.mutations[0].record.value.blob = b"short"


def drop_mutation(patch: SyncdPatch) -> None:
    del patch.mutations[0]


def turn_into_removal(patch: SyncdPatch) -> None:
    patch.mutations[0].operation = SyncdMutation.REMOVE


def change_patch_mac(patch: SyncdPatch) -> None:
    patch.patchMAC = flip(patch.patchMAC, 0)


def use_another_key(patch: SyncdPatch) -> None:
    patch.keyID.ID = b"other"


def refer_to_a_file(patch: SyncdPatch) -> None:
    patch.externalMutations.directPath = "/somewhere"


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change_value, "content MAC"),
        (change_index, "index MAC"),
        (cut_value, "content MAC"),
        (drop_mutation, "LT-hash"),
        (turn_into_removal, "content MAC"),
        (change_patch_mac, "patch MAC"),
        (use_another_key, "did not share"),
        (refer_to_a_file, "no media host"),
    ],
)
def test_what_was_tampered_with_is_not_believed(tamper: Callable[[SyncdPatch], None], told: str) -> None:
    writer, reader = pair()
    patch = writer.compose(NAME, [pin("1@lid"), pin("2@lid")])
    tamper(patch)
    reader.append(NAME, 0, patch)
    # The network keeps it, as it must; the device does not, and stops there
    assert reader.version(NAME) == 1
    assert told in reader.problem(NAME)
    assert reader.values == {}
    with pytest.raises(SyncError, match="stopped to follow"):
        reader.compose(NAME, [pin("1@lid")])
    # Other collections are not affected
    reader.append("regular", 0, reader.compose("regular", [pin("1@lid")]))
    assert reader.problem("regular") == ""


def test_a_patch_for_another_place_is_not_believed() -> None:
    writer, reader = pair()
    patch = writer.compose(NAME, [pin("1@lid")])
    reader.append("regular", 0, patch)
    assert "LT-hash" in reader.problem("regular")


def test_a_patch_on_top_of_another_version_is_a_conflict() -> None:
    writer, _ = pair()
    writer.append(NAME, 0, writer.compose(NAME, [pin("1@lid")]))
    for base in (0, 2):
        with pytest.raises(ConflictError, match="at version 1"):
            writer.append(NAME, base, SyncdPatch())


async def test_app_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = State(tmp_path / "network.db", lambda: None)
    account = Accounts(state).create("49170", "Ann", "account")
    states = AppStates(state)
    for version in range(3):
        patch = states.of(account).compose(NAME, [pin(f"{version}@lid")])
        assert states.append(account, NAME, version, patch) == version + 1
    assert states.share_once(account, 1) is True
    key = states.of(account).key
    await state.close()
    state = State(tmp_path / "network.db", lambda: None)
    account, states = Accounts(state).get("49170") or account, AppStates(state)
    again = states.of(account)
    assert (again.key.id, again.key.data) == (key.id, key.data)
    assert {name: again.version(name) for name in COLLECTIONS} == {**dict.fromkeys(COLLECTIONS, 0), NAME: 3}
    assert [index[1] for index in again.values] == ["0@lid", "1@lid", "2@lid"]
    # Who has the key does not get it anew, a new device does
    assert states.share_once(account, 1) is False
    assert states.share_once(account, 2) is True
    await state.close()
