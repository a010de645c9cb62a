"""The key that `wagate up` shows: made once per data directory."""

import os
from pathlib import Path

from server.auth.keys import ApiKeys
from server.auth.principal import Capability

ORGANIZATION = "default"
"""The organization that the local key belongs to."""


async def ensure_local_key(keys: ApiKeys, path: Path) -> str:
    """Returns an api-key with every capability, the same one as long as it is in force.

    Args:
        keys: where it is made and looked up.
        path: the file that keeps its secret for the next start, readable by its owner alone.
    """
    kept = _read(path)
    if kept is not None and await keys.find(kept) is not None:
        return kept
    _, secret = await keys.create(organization=ORGANIZATION, permissions=Capability, label="wagate up")
    _write(path, secret)
    return secret


def _read(path: Path) -> str | None:
    return path.read_text().strip() if path.exists() else None


def _write(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
