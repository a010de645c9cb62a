"""Makes the virtual environment what the lock files say: `python3 tools/environment.py run`, or another part.

Run by the machine's own Python before anything is installed, so it needs nothing but that. An
environment is named by what it was made of; where that has changed it is made anew from nothing,
because installing over it would leave behind what a lock no longer names. One process at a time works
on it, so that `make check` and `make test` may be started together.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PARTS = {
    "run": "what it needs",
    "dev": "development tools",
    "browser": "what drives a browser",
    "docs": "what makes a site of the documents",
    "node": "Node",
}
NEEDS = {"run": ("run",), "dev": ("run", "dev")}
"""What is installed for a part, itself last; for those that are not here: `dev` and itself."""
LOCKS = {kind: ROOT / "requirements" / f"{kind}.lock" for kind in PARTS}
PROJECT = ROOT / "pyproject.toml"
_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")


def main(kind: str) -> None:
    """Brings .venv up to date.

    Args:
        kind: "run" for what the gateway needs, "dev" for what its developers need as well. Beside that:
            "browser" for tests in a browser, "docs" for the site of the documents, "node" for the examples in
            TypeScript.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone meets whatever Python a machine has
        sys.exit(
            f"wagate needs Python 3.11 or newer, not {sys.version.split()[0]}. Try: make PYTHON=python3.11"
        )
    guard = ROOT / "build" / "environment.lock"
    guard.parent.mkdir(exist_ok=True)
    with guard.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _update(kind)


def _update(kind: str) -> None:
    wanted = {name: _fingerprint(path) for name, path in (*LOCKS.items(), ("project", PROJECT))}
    made = _made()
    if "run" not in made or any(made.get(name, wanted[name]) != wanted[name] for name in PARTS):
        _say("making .venv ...")
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True)
        made = {}
    for name in NEEDS.get(kind, ("run", "dev", kind)):
        if name not in made:
            _say(f"installing {PARTS[name]} ...")
            _pip("--require-hashes", "-r", str(LOCKS[name]))
            _remember(made, name, wanted)
    if made.get("project") != wanted["project"]:
        _pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
        _remember(made, "project", wanted)


def _fingerprint(path: Path) -> str:
    """Names a file's content, for this Python in this place: environments cannot be moved."""
    place = f"{ROOT}\n{sys.implementation.cache_tag}\n".encode()
    return hashlib.sha256(place + path.read_bytes()).hexdigest()


def _made() -> dict[str, str]:
    try:
        made: dict[str, str] = json.loads((VENV / "made-of.json").read_text())
    except (OSError, ValueError):  # there is none, or it was not finished
        return {}
    return made if PYTHON.exists() else {}


def _remember(made: dict[str, str], name: str, wanted: dict[str, str]) -> None:
    made[name] = wanted[name]
    (VENV / "made-of.json").write_text(json.dumps(made))


def _pip(*arguments: str) -> None:
    done = subprocess.run([PYTHON, *_PIP, *arguments], stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit("wagate: pip could not install what the lock file names; its own words are above.")


def _say(text: str) -> None:
    sys.stderr.write(f"wagate: {text}\n")


if __name__ == "__main__":
    main(sys.argv[1])
