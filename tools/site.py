"""Builds the site of docs/ in build/pages/site, and refuses one that is broken or loads anything."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.site_check import problems
from tools.site_pages import put_together

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "build" / "pages"
SITE: Final = PAGES / "site"
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Builds and checks the site; returns the process's exit status."""
    if found := put_together(PAGES):
        return _refuse(found)
    built = subprocess.run(
        # A warning is an error here. It names the page and the line.
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=PAGES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if built.returncode:
        words = _COLOURS.sub("", built.stdout).partition("Traceback")[0]
        return _refuse([words, "Zensical could not build the site; its own words are above."])
    if found := problems(PAGES / "docs", SITE):
        return _refuse(found)
    print(f"{len([*SITE.rglob('*.html')])} pages in {SITE.relative_to(ROOT)}; begin with index.html")
    return 0


def _refuse(found: list[str]) -> int:
    for problem in found:
        print(problem)
    return 1


if __name__ == "__main__":
    sys.exit(main())
