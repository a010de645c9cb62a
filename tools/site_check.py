"""Looks at the HTML of the site: links that lead nowhere, things from elsewhere, and what got lost."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

_ADDRESSES: Final = {"href", "src", "srcset", "poster", "action", "data"}
_LOADED: Final = {"link", "script", "img", "iframe", "source", "object", "video", "audio"}
"""Elements whose address a browser asks for by itself."""
_SAID: Final = {"list_item_open": "li", "tr_open": "tr", "fence": "pre", "code_block": "pre"}
"""What a page says in Markdown, and the element that it becomes."""
_PARSER: Final = MarkdownIt("commonmark").enable("table")


class _Page(HTMLParser):
    """What a page links to, loads, and can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = {""}
        self.elements: Counter[str] = Counter()
        """Those of the page's own text."""
        self._depth = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what one element says."""
        said = {name: value or "" for name, value in attrs}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        addresses = [said[name] for name in _ADDRESSES if name in said]
        is_loaded = tag in _LOADED and said.get("rel") not in {"canonical", "next", "prev"}
        (self.loads if is_loaded else self.links).extend(addresses)
        self._depth += tag == "article"
        if self._depth:
            self.elements[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        """Notes where the page's own text ends."""
        self._depth -= tag == "article"


def problems(docs: Path, site: Path) -> list[str]:
    """A line for each thing that is wrong with the site.

    Args:
        docs: the pages in Markdown.
        site: what was built of them.
    """
    pages = {path.resolve(): _Page(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        found += [f"{name} loads {address}" for address in page.loads if urlsplit(address).netloc]
        found += [f"{name} links to {problem}" for problem in _dead_ends(path, page, pages)]
        written = docs / name.with_suffix(".md")
        if written.exists():
            found += [f"{name}: {problem}" for problem in _lost(written, page)]
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        if any(sign in text for sign in ("url(http", "url(//", 'url("http', "@import")):
            found.append(f"{sheet.relative_to(site)} loads from elsewhere")
    return found


def _dead_ends(path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for address in (*page.links, *page.loads):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or parts.path.startswith("/"):
            continue  # another site's, or of the page of errors, which does not know where it is shown
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"{address}, which is not there"
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{address}, where there is no such heading"


def _lost(written: Path, page: _Page) -> Iterator[str]:
    """What other readers of Markdown see as a list, a table or code, and the site does not."""
    tokens = Counter(token.type for token in _PARSER.parse(written.read_text(encoding="utf-8")))
    wanted: Counter[str] = Counter()
    for kind, element in _SAID.items():
        wanted[element] += tokens[kind]
    for element, count in wanted.items():
        if page.elements[element] != count:
            yield f"{count} <{element}> are written, {page.elements[element]} came out"
