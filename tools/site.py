"""Builds the site of docs/ in build/site, and refuses one with a broken link or with anything from elsewhere.

Zensical wants everything below one folder, so the pages are put together in build/pages first: docs/, the
changelog, and a navigation that has the decisions, which nobody has to list by hand. It checks links in
Markdown itself; what is checked here is the HTML that came out, whoever wrote the link.
"""

import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "build" / "pages"
SITE: Final = PAGES / "site"

_CHANGELOG: Final = "changelog.md"
_ADDRESSES: Final = {"href", "src", "srcset", "poster", "action", "data"}
_LOADED: Final = {"link", "script", "img", "iframe", "source", "object", "video", "audio"}
"""Elements whose address a browser asks for by itself."""


def main() -> int:
    """Builds and checks the site; returns the process's exit status."""
    if problems := _put_together():
        return _refuse(problems)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=PAGES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # A warning makes it exit with an error. Its own words name the page and the line.
    if built.returncode:
        print(built.stdout)
        return _refuse(["Zensical could not build the site; its own words are above."])
    if problems := [*_problems(SITE)]:
        return _refuse(problems)
    print(f"{len([*SITE.rglob('*.html')])} pages in {SITE.relative_to(ROOT)}; begin with index.html")
    return 0


def _refuse(problems: list[str]) -> int:
    for problem in problems:
        print(problem)
    return 1


def _put_together() -> list[str]:
    """Fills build/pages; returns what is wrong with the pages' list."""
    shutil.rmtree(PAGES, ignore_errors=True)
    docs = PAGES / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("mkdocs.yml"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
    (docs / _CHANGELOG).write_text(changes, encoding="utf-8")
    for page in docs.glob("*.md"):
        text = page.read_text(encoding="utf-8").replace("](../CHANGELOG.md)", f"]({_CHANGELOG})")
        page.write_text(text, encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8"))
    decisions = sorted(page.name for page in (docs / "decisions").glob("0*.md"))
    config["nav"].append({"Decisions": ["decisions/index.md", *(f"decisions/{name}" for name in decisions)]})
    (PAGES / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    there = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    listed = set(_listed(config["nav"]))
    return [
        *(f"docs/{page} is not in the navigation: add it to docs/mkdocs.yml" for page in there - listed),
        *(f"docs/mkdocs.yml names {page}, which is not in docs/" for page in listed - there),
    ]


def _listed(entries: list[Any]) -> list[str]:
    """The pages of a navigation, whatever their depth."""
    found: list[str] = []
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            found += _listed(value) if isinstance(value, list) else [value]
    return found


class _Page(HTMLParser):
    """What a page links to, loads, and can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what one element says."""
        said = {name: value or "" for name, value in attrs}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        addresses = [said[name] for name in _ADDRESSES if name in said]
        is_loaded = tag in _LOADED and said.get("rel") not in {"canonical", "next", "prev"}
        (self.loads if is_loaded else self.links).extend(addresses)


def _problems(site: Path) -> list[str]:
    """A line for each link that leads nowhere and each thing that would come from elsewhere."""
    pages = {path.resolve(): _Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        found += [f"{name} loads {address}" for address in page.loads if urlsplit(address).netloc]
        for address in (*page.links, *page.loads):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or parts.path.startswith("/"):
                continue  # another site's, or the page of errors, which does not know where it is shown
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                found.append(f"{name} links to {address}, which is not there")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name} links to {address}, where there is no such heading")
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        found += [
            f"{sheet.relative_to(site)} loads from elsewhere"
            for sign in ("url(http", "url(//")
            if sign in text
        ]
    return found


if __name__ == "__main__":
    sys.exit(main())
