"""The documents as tests see them: pages, their blocks of code, and what a comment before a block says.

A block is run, or held to something, by its language. A comment right before it, `<!-- word: value -->`,
says where that does not hold; `MARKS` has the words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]

MARKS: Final = {
    "not run": "why it cannot run on a machine that tests",
    "run by": "the test that runs it, or reads it",
    "same as": "the file, tested by itself, whose text it repeats",
    "until": "what its output has when it may be interrupted: it would never end",
    "refused": "what its output has: the command is meant to fail",
    "schema": "which of the OpenAPI document's schemas this JSON is an example of",
    "event": "which event this JSON is an example of",
}
"""What may stand before a block, and what its value says."""

OF_WHOLE_PAGES: Final = {"docs/grpc.md": ("run by", "tests/docs/test_grpc_reference.py")}
"""What holds for every block of a page, because the page is generated of other things."""

_MARK: Final = re.compile(r"<!-- (?P<word>[a-z ]+): (?P<value>.+?) -->", re.DOTALL)
_PARSER: Final = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A piece of code on a page.

    Attributes:
        place: for people: the page and the line where it begins.
        language: the word behind the fence; "" where there is none.
        mark: one of `MARKS`, or "".
        value: what the mark says.
        follows_code: nothing but white space is between it and the block before it.
    """

    place: str
    language: str
    code: str
    mark: str
    value: str
    follows_code: bool


def pages() -> list[Path]:
    """Every page whose commands are run: the README, and docs/ without the records of decisions."""
    found = [path for path in (ROOT / "docs").rglob("*.md") if "decisions" not in path.parts]
    return [ROOT / "README.md", *sorted(found)]


def name(page: Path) -> str:
    """A page's path within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """A page's blocks in order, those within lists too."""
    return list(_blocks(name(page), _PARSER.parse(page.read_text(encoding="utf-8"))))


def section(page: Path, heading: str) -> list[Block]:
    """The blocks below one heading of the second level.

    Args:
        page: the page.
        heading: its words.
    """
    text = page.read_text(encoding="utf-8")
    _, found, below = text.partition(f"\n## {heading}\n")
    if not found:
        raise AssertionError(f"{name(page)} has no section {heading!r}")
    return list(_blocks(f"{name(page)}, {heading}", _PARSER.parse(re.split(r"\n## ", below)[0])))


def _blocks(page: str, tokens: list[Token]) -> Iterator[Block]:
    before: Token | None = None
    whole = OF_WHOLE_PAGES.get(page, ("", ""))
    for token in tokens:
        if token.type in {"fence", "code_block"}:
            mark = None
            if before is not None and before.type == "html_block":
                mark = _MARK.fullmatch(before.content.strip())
            yield Block(
                place=f"{page}:{token.map[0] + 1 if token.map else 0}",
                language=token.info.partition(" ")[0] if token.type == "fence" else "an indented block",
                code=token.content,
                mark=mark["word"] if mark else whole[0],
                value=" ".join(mark["value"].split()) if mark else whole[1],
                follows_code=before is not None and before.type == "fence",
            )
        if token.type not in {"paragraph_close", "list_item_close", "bullet_list_close"}:
            before = token
