"""What the documents name beside their commands is there: files, settings, targets, operations."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from server.cli import app
from server.config import Settings
from server.supervisor.settings import UpSettings
from tests.docs.pages import ROOT, name, pages
from tests.support.api_document import load

PAGES: Final = [page for page in pages() if page.name not in {"conformance.md", "events.md"}]
"""Those that people write."""
WORDS: Final = {page: re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")) for page in PAGES}
"""What stands between back quotes on each page."""
ELSEWHERE: Final = {"WAGATE_SCREENSHOTS", "WAGATE_JSON", "WAGATE_URL", "WAGATE_API_KEY", "WAGATE_SESSION"}
"""Settings that no class of settings has."""
FOLDERS: Final = (
    "tests",
    "server",
    "sandbox",
    "tools",
    "docs",
    "bench",
    "protos",
    "gateway-config",
    "requirements",
)


def named(pattern: str) -> Iterator[tuple[str, str]]:
    """Each page with each match, without repetition."""
    found = {
        (name(page), word) for page in PAGES for text in WORDS[page] for word in re.findall(pattern, text)
    }
    return iter(sorted(found))


def missing(pattern: str, is_there: Callable[[str], bool]) -> list[tuple[str, str]]:
    """What is named and is not there."""
    return [(page, word) for page, word in named(pattern) if not is_there(word)]


def test_files_are_there() -> None:
    pattern = rf"(?<![\w/.])(?:{'|'.join(FOLDERS)})/[\w./-]*\w"
    assert len([*named(pattern)]) > 20
    assert missing(pattern, lambda path: (ROOT / path).exists()) == []


def test_settings_are_there() -> None:
    known = {f"WAGATE_{field.upper()}" for kind in (Settings, UpSettings) for field in kind.model_fields}
    assert len([*named(r"WAGATE_[A-Z_]+")]) > 60
    assert missing(r"WAGATE_[A-Z_]+", lambda setting: setting in known | ELSEWHERE) == []


def test_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert missing(r"\bmake ([a-z-]+)", lambda target: f"\n{target}: " in makefile) == []


def test_commands_are_there() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = group.list_commands(group.make_context("wagate", [], resilient_parsing=True))
    assert missing(r"(?<![/\w])wagate ([a-z]+)\b", lambda command: command in commands) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_of_the_api_are_there(page: Path) -> None:
    """Written as people write them: with or without `/api/v1`, and `...` for what came before."""
    paths = [*load()["paths"], "/api/v1/realtime"]  # a WebSocket is no operation of the document
    templates = [re.sub(r"\{[^}]+\}", "{}", path) for path in paths]
    for text in WORDS[page]:
        match = re.fullmatch(r"(?:GET|POST|PUT|PATCH|DELETE) (\S+?)(?:\?\S*)?", text)
        if match is None or not re.match(r"\.\.\.|/(api|sessions|webhooks|events|realtime)", match[1]):
            continue
        path = re.sub(r"\{[^}]+\}", "{}", match[1].removeprefix("..."))
        assert any(template.endswith(path) for template in templates), f"{name(page)}: {text}"
