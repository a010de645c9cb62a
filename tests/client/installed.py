"""A machine on which somebody has installed the client, and nothing else."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def built(folder: Path) -> Path:
    """Builds the wheel."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@dataclass(frozen=True)
class Installed:
    """An environment of its own.

    Attributes:
        brought: the names of what the client needs, with all that these need.
    """

    folder: Path
    brought: frozenset[str]

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def pip(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs pip on it."""
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        return subprocess.run([*pip, *words], capture_output=True, text=True, check=False)

    def add(self, names: Iterable[str]) -> None:
        """Copies distributions of this environment, so that no index is needed."""
        for name in names:
            found = distribution(name)
            for file in found.files or ():
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    target = self.site / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(found.locate_file(file)), target)


def installed(wheel: Path, folder: Path, extra: str) -> Installed:
    """Installs the wheel with an extra, and what that needs, as pip would."""
    venv.create(folder)
    environment = Installed(folder, frozenset())
    done = environment.pip("install", "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    brought: set[str] = set()
    (own,) = Distribution.discover(name="wagate", path=[str(environment.site)])
    _gather(own, extra, brought)
    environment.add(brought)
    return Installed(folder, frozenset(brought))


def _gather(found: Distribution, extra: str, into: set[str]) -> None:
    for line in found.requires or ():
        needed = Requirement(line)
        if (needed.marker is None or needed.marker.evaluate({"extra": extra})) and needed.name not in into:
            into.add(needed.name)
            for inner in needed.extras or {""}:
                _gather(distribution(needed.name), inner, into)
