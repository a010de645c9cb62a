"""What an archive says about itself: its first file, `manifest.json`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from server.config import Settings
from server.errors import Code, WagateError
from server.supervisor.settings import UpSettings

NAME: Final = "manifest.json"
FORMAT: Final = 1
"""Raised when an older release could not read what a newer one writes."""
LONGEST: Final = 64 << 20
"""Bytes of a manifest at most: a line for each of some hundred thousand files."""
_SECRET: Final = frozenset({"WAGATE_API_KEY", "WAGATE_DATABASE_URL"})


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive.

    Attributes:
        bytes: how long it is.
        sha256: of its content, in hex.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive, and what it was made of.

    Attributes:
        release: the wagate that made it.
        created_at: epoch milliseconds.
        database: the embedded database's schema; None where that is PostgreSQL, and so not in it.
        settings: the environment's, without secrets: they are no part of the data, and needed again.
        files: by their names in the archive and in the data directory.
    """

    release: str
    created_at: int
    database: str | None
    settings: Mapping[str, str]
    files: Mapping[str, Part]

    @property
    def devices(self) -> int:
        """How many linked devices are in it."""
        return sum(name.startswith("devices/") for name in self.files)

    def text(self) -> str:
        """The manifest as it stands in the archive."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def manifest_of(text: bytes) -> Manifest:
    """Reads a manifest.

    Raises:
        WagateError: VALIDATION_ERROR for what is none, or is of a later release.
    """
    try:
        told: dict[str, Any] = json.loads(text)
        if told["format"] > FORMAT:
            raise WagateError(
                Code.VALIDATION_ERROR,
                f"the archive was made by a later release ({told['release']}): restore it with that one",
            )
        return Manifest(
            release=told["release"],
            created_at=told["created_at"],
            database=told["database"],
            settings=told["settings"],
            files={name: Part(**part) for name, part in told["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WagateError(Code.VALIDATION_ERROR, f"its {NAME} cannot be read: it is no backup") from None


def settings_to_keep() -> dict[str, str]:
    """The settings of this environment that are worth writing down."""
    fields = (*Settings.model_fields, *UpSettings.model_fields)
    known = {f"WAGATE_{name.upper()}" for name in fields}
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in known and name not in _SECRET and not name.startswith("WAGATE_WIRE_")
    }
