"""Whom the checks examine."""

from dataclasses import dataclass
from pathlib import Path

from server.config import Settings
from server.remote.place import Place
from server.supervisor.settings import UpSettings


@dataclass(frozen=True, slots=True)
class Subject:
    """One machine's gateway, running or not.

    Attributes:
        node: the settings of `wagate serve`.
        up: the settings of `wagate up`.
        place: where the gateway is called.
        key_file: holds the api-key; None for the usual places.
        envoy_config: Envoy's configuration; None for the one that `wagate up` makes.
    """

    node: Settings
    up: UpSettings
    place: Place
    key_file: Path | None = None
    envoy_config: Path | None = None
