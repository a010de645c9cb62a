"""Python, and the packages that wagate stands on."""

import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from server.doctor.findings import Finding, broken, ok
from server.doctor.subject import Subject

_PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9A-Za-z.]+)$")
_NAME: Final = re.compile(r"^[A-Za-z0-9._-]+")
_OF_THE_SERVER: Final = re.compile(r"extra == [\"']server[\"']")
AGAIN: Final = "Install wagate again: `make setup`, or pip install 'wagate[server]'."
_SHOWN: Final = ("grpcio", "neonize", "sqlalchemy")


async def check(_subject: Subject) -> Sequence[Finding]:
    """Whether everything that this release needs is installed, in the version that it needs."""
    found = [finding for line in requires("wagate") or () if (finding := _wrong(line)) is not None]
    if found:
        return found
    versions = ", ".join(f"{name} {version(name)}" for name in _SHOWN)
    return [ok("packages", f"wagate {version('wagate')}, Python {platform.python_version()}, {versions}")]


def _wrong(line: str) -> Finding | None:
    requirement, _, marker = (part.strip() for part in line.partition(";"))
    if marker and not _OF_THE_SERVER.fullmatch(marker):  # of another extra, or of other systems
        return None
    name = (_NAME.match(requirement) or [""])[0]
    try:
        installed = version(name)
    except PackageNotFoundError:
        return broken(f"package {name}", "is not installed", AGAIN)
    pinned = _PINNED.match(requirement)
    if pinned is not None and installed != pinned["version"]:
        return broken(
            f"package {name}",
            f"{installed} is installed; this release was built and tested with {pinned['version']} alone",
            AGAIN,
        )
    return None
