"""Finds a browser for the tests that need a real one, or has Playwright fetch its own."""

import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What installed ones are called."""


def executable() -> str | None:
    """The path of an installed browser; None where Playwright's own has to do."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def main() -> int:
    """Makes sure that there is one."""
    if executable() is not None:
        return 0
    print(f"none of {', '.join(NAMES)} is installed: fetching Playwright's own browser ...")
    fetched = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if fetched.returncode:
        print(
            "There is no browser. Install Chromium (Debian: apt install chromium) or Chrome, or let this"
            " machine reach the place that Playwright fetches its own from; its own words are above."
        )
    return fetched.returncode


if __name__ == "__main__":
    sys.exit(main())
