"""The sandbox's settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

__all__ = ["Settings", "SettingsError"]

_DEFAULT_PORT = 8090
_DEFAULT_DATA_DIR = "data"


class SettingsError(ValueError):
    """A setting cannot be used."""


class Settings(NamedTuple):
    """What a sandbox needs to know.

    Attributes:
        port: TCP port on 127.0.0.1; 0 lets the system choose one.
        data_dir: The sandbox keeps everything in the folder ``sandbox`` in it.
    """

    port: int = _DEFAULT_PORT
    data_dir: Path = Path(_DEFAULT_DATA_DIR)

    @property
    def folder(self) -> Path:
        """Where the sandbox keeps its files."""
        return (self.data_dir / "sandbox").resolve()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads ``WAGATE_SANDBOX_PORT`` and ``WAGATE_DATA_DIR``.

        Raises:
            SettingsError: The port is no number from 0 to 65535.
        """
        port = environment.get("WAGATE_SANDBOX_PORT", str(_DEFAULT_PORT))
        if not port.isdecimal() or int(port) > 65_535:
            raise SettingsError(f"WAGATE_SANDBOX_PORT is {port!r}; a port is a number from 0 to 65535")
        return cls(int(port), Path(environment.get("WAGATE_DATA_DIR", _DEFAULT_DATA_DIR)))
