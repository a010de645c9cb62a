"""Finds a browser for the tests that need a real one, or has one installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What installed ones are called."""
_APT = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", "fonts-dejavu-core")


def executable() -> str | None:
    """The path of an installed browser; None where Playwright's own has to do."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def main() -> int:
    """Makes sure that there is one: installed, else Debian's where this may install it, else Playwright's."""
    if executable() is not None:
        return 0
    if shutil.which("apt-get") is not None and os.geteuid() == 0:
        print("no Chromium is installed: installing Debian's ...")
        if _is_done(("apt-get", "update", "--quiet")) and _is_done(_APT) and executable() is not None:
            return 0
    print(f"none of {', '.join(NAMES)} is installed: fetching Playwright's own browser ...")
    if _is_done((sys.executable, "-m", "playwright", "install", "chromium")):
        return 0
    print(
        "There is no browser. Install Chromium (Debian: apt install chromium) or Chrome, or let this"
        " machine reach the place that Playwright fetches its own from; its own words are above."
    )
    return 1


def _is_done(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
