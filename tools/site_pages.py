"""Puts the pages of the site together in one folder, which is what Zensical wants.

They are docs/, the changelog, and a navigation that has the decisions, which nobody has to list by hand.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).resolve().parent.parent

_CHANGELOG: Final = "changelog.md"
_CONFIG: Final = "mkdocs.yml"
_ELSEWHERE: Final = re.compile(r"\[([^\]\n]+)\]\(\.\./[^)\s]+\)")
"""A link to a file of the repository. The site does not have it; its name stays."""
_PARSER: Final = MarkdownIt("commonmark").enable("table")


def put_together(folder: Path) -> list[str]:
    """Fills a folder with the pages and their configuration.

    Args:
        folder: emptied first.

    Returns:
        A line for each page that the navigation lacks or has too much.
    """
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns(_CONFIG))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
    (docs / _CHANGELOG).write_text(changes, encoding="utf-8")
    for page in docs.rglob("*.md"):
        text = page.read_text(encoding="utf-8").replace("](../CHANGELOG.md)", f"]({_CHANGELOG})")
        if page.parent == docs:
            text = _ELSEWHERE.sub(r"\1", text)
        page.write_text(_lists_apart(text), encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load((ROOT / "docs" / _CONFIG).read_text(encoding="utf-8"))
    decisions = sorted(f"decisions/{page.name}" for page in (docs / "decisions").glob("0*.md"))
    (*_, last) = config["nav"]
    (entries,) = last.values()
    entries.append({"Decisions": ["decisions/index.md", *decisions]})
    (folder / _CONFIG).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    there = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    listed = set(_listed(config["nav"]))
    return [
        *(f"docs/{page} is not in the navigation: add it to docs/{_CONFIG}" for page in there - listed),
        *(f"docs/{_CONFIG} names {page}, which is not in docs/" for page in listed - there),
    ]


def _lists_apart(text: str) -> str:
    """Puts an empty line before each list that follows a paragraph.

    Python-Markdown takes it for a part of the paragraph otherwise. Everywhere else, where people read
    these files, it is a list.
    """
    lines = text.splitlines()
    begins = [
        token.map[0] for token in _PARSER.parse(text) if token.type.endswith("_list_open") and token.map
    ]
    for begin in sorted(begins, reverse=True):
        if begin and lines[begin - 1].strip() and not lines[begin].startswith(" "):
            lines.insert(begin, "")
    return "\n".join(lines) + "\n"


def _listed(entries: list[Any]) -> Iterator[str]:
    """The pages of a navigation, whatever their depth."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, list):
                yield from _listed(value)
            else:
                yield value
