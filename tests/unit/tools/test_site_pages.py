"""The pages of the site are put together so that nothing is missing."""

from pathlib import Path

import yaml

from tools.site_pages import ROOT, put_together


def test_every_page_is_there_with_the_changelog_and_the_decisions(tmp_path: Path) -> None:
    assert put_together(tmp_path / "pages") == []
    docs = tmp_path / "pages" / "docs"
    assert (docs / "changelog.md").read_text().startswith("# Changelog")
    assert "](../CHANGELOG.md)" not in (docs / "index.md").read_text()
    navigation = yaml.safe_dump(yaml.safe_load((docs.parent / "mkdocs.yml").read_text())["nav"])
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        assert f"decisions/{page.name}" in navigation


def test_a_list_right_behind_a_paragraph_stays_a_list(tmp_path: Path) -> None:
    put_together(tmp_path / "pages")
    copied = (tmp_path / "pages" / "docs" / "decisions" / "0140-leases.md").read_text()
    assert "\n\n- *One clock decides" in copied


def test_what_was_there_before_is_gone(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "old.md").touch()
    put_together(tmp_path / "pages")
    assert not (tmp_path / "pages" / "old.md").exists()
