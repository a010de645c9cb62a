"""Every command of the README and of docs/ is run, and prints what its page shows."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from server.config import Settings
from tests.docs.pages import MARKS, ROOT, Block, blocks, name, pages
from tests.docs.reader import LEFT_TO_OTHERS, QUICKSTART, SHOWN, TYPED, Reader
from tests.support.event_schemas import envelope_problems

READ = {"js", "ts", "ini", "yaml"}
"""Languages that nothing here can run. A block of theirs says who does, or why nobody can."""
PAGES = pages()
ALL = [block for page in PAGES for block in blocks(page)]
TYPED_PAGES = [
    page
    for page in PAGES
    if page != QUICKSTART
    and any(block.language in TYPED and block.mark not in LEFT_TO_OTHERS for block in blocks(page))
]


def test_the_quickstart_does_what_it_says(beginning: Mapping[str, str]) -> None:
    assert {"API", "KEY", "SESSION", "SANDBOX"} <= beginning.keys()


@pytest.mark.parametrize("page", TYPED_PAGES, ids=name)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, reader: Reader) -> None:
    assert reader.does(blocks(page)) > 0


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.place)
def test_a_block_is_of_a_known_kind(block: Block) -> None:
    assert not block.mark or block.mark in MARKS, f"{block.place}: nobody knows the mark {block.mark!r}"
    assert block.language in {*TYPED, *SHOWN, *READ}, (
        f"{block.place} is of no known language: {block.language!r}"
    )
    if block.language in READ:
        assert block.mark in LEFT_TO_OTHERS, f"{block.place}: say who runs it, or why nobody can"
    if block.language == "json":
        assert block.follows_code or block.mark, f"{block.place}: say what this is an example of"


@pytest.mark.parametrize("block", [b for b in ALL if b.mark in {"same as", "run by"}], ids=lambda b: b.place)
def test_what_is_run_elsewhere_is_there(block: Block) -> None:
    file = ROOT / block.value.partition("::")[0]
    assert file.is_file(), f"{block.place} names {block.value}, which is not there"
    if block.mark == "same as":
        assert block.code == file.read_text(encoding="utf-8"), f"{block.place} is not {block.value} any more"


@pytest.mark.parametrize("block", [b for b in ALL if b.mark == "schema"], ids=lambda b: b.place)
def test_an_example_fits_the_document(block: Block) -> None:
    document = json.loads((ROOT / "gateway-config" / "openapi.json").read_text())
    schema = {"$ref": f"#/components/schemas/{block.value}", "components": document["components"]}
    jsonschema.validate(json.loads(block.code), schema)


@pytest.mark.parametrize("block", [b for b in ALL if b.mark == "event"], ids=lambda b: b.place)
def test_an_example_is_the_event_that_it_says(block: Block) -> None:
    event: dict[str, Any] = json.loads(block.code)
    assert event["event"] == block.value
    assert envelope_problems(event) == []


def test_what_nobody_runs_is_little(show_figures: Callable[[str], None]) -> None:
    counts = Counter(block.mark for block in ALL if block.language in {*TYPED, *READ})
    run = counts[""] + counts["until"] + counts["refused"]
    show_figures(
        f"{len(ALL)} blocks on {len(PAGES)} pages; {run} are run, {counts['same as']} are files with tests of"
        f" their own, {counts['run by']} are run by other tests, {counts['not run']} cannot be run"
    )
    for block in ALL:
        if block.mark == "not run":
            show_figures(f"not run: {block.place}: {block.value}")
    assert counts["not run"] <= 15
    assert run >= 40


def test_every_setting_is_in_the_table() -> None:
    table = (ROOT / "docs" / "settings.md").read_text()
    missing = [f"WAGATE_{field.upper()}" for field in Settings.model_fields]
    assert [setting for setting in missing if f"`{setting}`" not in table] == []
