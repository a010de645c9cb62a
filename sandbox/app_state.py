"""An account's app state: the patches that the network keeps, and what the account's phone reads in them.

The network sees versions and ciphertext; the phone holds the key, checks every patch as a device does, and
believes what it could verify. Both live here, because in this network the phone is no process of its own.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from sandbox.accounts import Account
from sandbox.state import State
from sandbox.sync_crypto import EMPTY_HASH, Mutation, SyncError, SyncKey, added, removed, value_mac
from sandbox.wire_protos import KeyId, SyncActionValue, SyncdPatch

__all__ = ["COLLECTIONS", "AppState", "AppStates", "Change", "ConflictError"]

COLLECTIONS = ("critical_block", "critical_unblock_low", "regular_high", "regular", "regular_low")
"""All collections that an account has; there are no others."""

MAX_MUTATIONS = 500
"""Mutations in one patch; clients put more than a few into a file on a media host, which is not here."""


class ConflictError(Exception):
    """A patch was made on top of another version than the network has."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the phone itself wants set.

    Attributes:
        index: What it is about.
        version: The version of this kind of action.
        value: The value, without a timestamp.
    """

    index: Sequence[str]
    version: int
    value: SyncActionValue


@dataclass(slots=True)
class _Collection:
    """One collection.

    Attributes:
        name: Its name.
        patches: What the network keeps: version 1 first.
        hash: The LT-hash of what the phone has verified.
        macs: The value MACs behind the hash, by index MAC; empty where the index was removed.
        problem: Why the phone stopped to follow the collection; empty while it does.
    """

    name: str
    patches: list[bytes] = field(default_factory=list)
    hash: bytes = EMPTY_HASH
    macs: dict[bytes, bytes] = field(default_factory=dict)
    problem: str = ""


class AppState:
    """The app state of one account.

    Args:
        key: The key that its phone shares with linked devices.
    """

    def __init__(self, key: SyncKey) -> None:
        self.key = key
        self.values: dict[tuple[str, ...], SyncActionValue] = {}
        self._collections = {name: _Collection(name) for name in COLLECTIONS}

    def version(self, name: str) -> int:
        """The current version of a collection; 0 while it is empty."""
        return len(self._collections[name].patches)

    def problem(self, name: str) -> str:
        """Why the phone stopped to follow a collection; empty while it does."""
        return self._collections[name].problem

    def since(self, name: str, version: int, limit: int) -> list[bytes]:
        """The oldest patches after a version.

        Args:
            name: A collection.
            version: What the asking device has.
            limit: How many at most.
        """
        return self._collections[name].patches[version : version + limit]

    def append(self, name: str, base: int, patch: SyncdPatch) -> bytes:
        """Takes a patch over as the collection's next version.

        Args:
            name: A collection.
            base: The version that the patch was made on top of.
            patch: The patch; its version is filled in.

        Returns:
            The patch as it is kept.

        Raises:
            ConflictError: The collection has another version by now.
        """
        collection = self._collections[name]
        if base != len(collection.patches):
            raise ConflictError(f"{name} is at version {len(collection.patches)}, not {base}")
        patch.version.version = base + 1
        kept = patch.SerializeToString()
        self.restore(name, kept)
        return kept

    def restore(self, name: str, kept: bytes) -> None:
        """Adds a patch that the network has kept, and lets the phone read it."""
        collection = self._collections[name]
        collection.patches.append(kept)
        if not collection.problem:
            try:
                self._read(collection, SyncdPatch.FromString(kept))
            except (SyncError, DecodeError) as error:
                collection.problem = f"version {len(collection.patches)}: {error}"

    def compose(self, name: str, changes: Iterable[Change]) -> SyncdPatch:
        """Makes a patch of the phone's own, on top of the current version.

        Raises:
            SyncError: The phone does not follow this collection any more.
        """
        collection = self._collections[name]
        if collection.problem:
            raise SyncError(f"the phone stopped to follow {name} at {collection.problem}")
        now = time.time_ns() // 1_000_000
        patch = SyncdPatch(keyID=KeyId(ID=self.key.id))
        for change in changes:
            value = SyncActionValue(timestamp=now)
            value.MergeFrom(change.value)
            patch.mutations.append(self.key.seal(change.index, change.version, value))
        version = len(collection.patches) + 1
        state, _ = _after(collection, patch)
        patch.snapshotMAC = self.key.snapshot_mac(name, version, state)
        patch.patchMAC = self.key.patch_mac(name, version, patch)
        return patch

    def _read(self, collection: _Collection, patch: SyncdPatch) -> None:
        version = len(collection.patches)
        if patch.HasField("externalMutations"):
            raise SyncError("its mutations are in a file, and there is no media host")
        if self.key.id != patch.keyID.ID:
            raise SyncError("it is authenticated with a key that the phone did not share")
        mutations = [self.key.open(mutation) for mutation in patch.mutations]
        state, changed = _after(collection, patch)
        if self.key.snapshot_mac(collection.name, version, state) != patch.snapshotMAC:
            raise SyncError("the LT-hash of its writer is another one")
        if self.key.patch_mac(collection.name, version, patch) != patch.patchMAC:
            raise SyncError("its patch MAC is wrong")
        collection.hash = state
        collection.macs.update(changed)
        for mutation in mutations:
            self._believe(mutation)

    def _believe(self, mutation: Mutation) -> None:
        if mutation.removed:
            self.values.pop(mutation.index, None)
        else:
            # The last one comes last: it can be told from when the value was set first.
            self.values.pop(mutation.index, None)
            self.values[mutation.index] = mutation.value


class AppStates:
    """The app state of all accounts, in memory and in the state.

    Args:
        state: Where it is kept.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._by_number: dict[str, AppState] = {}
        self._shared = {(number, device) for number, device in state.load("SELECT * FROM app_state_shared")}
        self._keys: dict[str, SyncKey] = {
            number: SyncKey(key_id, data)
            for number, key_id, data in state.load("SELECT number, id, data FROM app_state_keys")
        }
        # Read when an account is needed first: checking every patch of all of them would delay the start.
        self._unread: dict[str, list[tuple[str, bytes]]] = {}
        for number, collection, patch in state.load(
            "SELECT number, collection, patch FROM app_state_patches ORDER BY number, collection, version"
        ):
            self._unread.setdefault(number, []).append((collection, patch))

    def of(self, account: Account) -> AppState:
        """An account's app state; its key is made on first use."""
        number = account.number
        known = self._by_number.get(number)
        if known is not None:
            return known
        app_state = self._by_number[number] = AppState(self._key(number))
        for collection, patch in self._unread.pop(number, ()):
            app_state.restore(collection, patch)
        return app_state

    def append(self, account: Account, name: str, base: int, patch: SyncdPatch) -> int:
        """Takes a patch over; returns the collection's new version.

        Args:
            account: Whose app state it is.
            name: A collection.
            base: The version that the patch was made on top of.
            patch: The patch.

        Raises:
            ConflictError: The collection has another version by now.
        """
        kept = self.of(account).append(name, base, patch)
        self._state.write(
            "INSERT INTO app_state_patches VALUES (?, ?, ?, ?)", (account.number, name, base + 1, kept)
        )
        return base + 1

    def share_once(self, account: Account, device: int) -> bool:
        """Whether a device has yet to get the key; from now on it has not."""
        place = account.number, device
        if place in self._shared:
            return False
        self._shared.add(place)
        self._state.write("INSERT INTO app_state_shared VALUES (?, ?)", place)
        return True

    def _key(self, number: str) -> SyncKey:
        key = self._keys.get(number)
        if key is None:
            key = self._keys[number] = SyncKey.generate()
            self._state.write("INSERT INTO app_state_keys VALUES (?, ?, ?)", (number, key.id, key.data))
        return key


def _after(collection: _Collection, patch: SyncdPatch) -> tuple[bytes, dict[bytes, bytes]]:
    """The LT-hash of a collection after a patch, and the value MACs that change; empty ones are gone."""
    changed: dict[bytes, bytes] = {}
    gone, new = [], []
    for mutation in patch.mutations:
        index = mutation.record.index.blob
        previous = changed.get(index, collection.macs.get(index))
        if previous:
            gone.append(previous)
        changed[index] = value_mac(mutation) if mutation.operation == mutation.SET else b""
        if changed[index]:
            new.append(changed[index])
    return added(removed(collection.hash, gone), new), changed
