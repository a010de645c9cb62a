"""The key that a local installation makes for itself."""

import stat
from pathlib import Path

from server.auth.bootstrap import ensure_local_key
from server.auth.keys import ApiKeys
from server.auth.principal import Capability
from tests.unit.server.test_authenticator import KeysInMemory


async def test_the_same_key_is_kept_as_long_as_it_is_in_force(tmp_path: Path) -> None:
    keys = ApiKeys(KeysInMemory())
    path = tmp_path / "new" / "local.key"
    secret = await ensure_local_key(keys, path)
    assert await ensure_local_key(keys, path) == secret
    key = await keys.find(secret)
    assert key is not None
    assert set(key.permissions) == set(Capability)


async def test_a_revoked_or_foreign_key_is_replaced(tmp_path: Path) -> None:
    keys = ApiKeys(KeysInMemory())
    path = tmp_path / "local.key"
    path.write_text("wa_of-another-database\n")
    path.chmod(0o644)
    secret = await ensure_local_key(keys, path)
    key = await keys.find(secret)
    assert key is not None
    await keys.revoke(key.id)
    assert await ensure_local_key(keys, path) != secret


async def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    path = tmp_path / "local.key"
    path.write_text("wa_old\n")
    path.chmod(0o644)
    await ensure_local_key(ApiKeys(KeysInMemory()), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
