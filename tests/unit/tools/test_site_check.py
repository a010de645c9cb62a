"""The check of the documents' site finds what is wrong with one."""

from pathlib import Path

import pytest

from tools.site_check import problems

SOUND = '<article><h1 id="top">A</h1><ul><li><a href="b.html#there">b</a></li></ul></article>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages that are as they should be."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n\n- [b](b.md#there)\n")
    built = tmp_path / "site"
    built.mkdir()
    (built / "a.html").write_text(f'<script src="a.js"></script>{SOUND}')
    (built / "b.html").write_text('<article><h2 id="there">B</h2></article>')
    (built / "a.js").touch()
    (built / "a.css").write_text("a { background: url(data:image/png;base64,) }")
    return built


def found(site: Path) -> list[str]:
    return problems(site.parent / "docs", site)


def test_a_sound_site_has_no_problem(site: Path) -> None:
    assert found(site) == []


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (SOUND.replace("b.html", "c.html"), "a.html links to c.html#there, which is not there"),
        (SOUND.replace("#there", "#here"), "a.html links to b.html#here, where there is no such heading"),
        (SOUND.replace("b.html#there", "#gone"), "a.html links to #gone, where there is no such heading"),
        (
            f'<img src="https://elsewhere.example/a.png">{SOUND}',
            "a.html loads https://elsewhere.example/a.png",
        ),
        (f'<link href="//elsewhere.example/a.css">{SOUND}', "a.html loads //elsewhere.example/a.css"),
        (SOUND.replace("li>", "p>"), "a.html: 1 <li> are written, 0 came out"),
    ],
    ids=["page", "heading", "own heading", "picture", "style", "list"],
)
def test_what_is_wrong_is_named(site: Path, page: str, problem: str) -> None:
    (site / "a.html").write_text(page)
    assert found(site) == [problem]


def test_a_style_that_loads_from_elsewhere_is_named(site: Path) -> None:
    (site / "a.css").write_text("a { background: url(https://elsewhere.example/a.png) }")
    assert found(site) == ["a.css loads from elsewhere"]


def test_links_to_other_sites_are_their_business(site: Path) -> None:
    (site / "a.html").write_text(SOUND.replace("b.html#there", "https://elsewhere.example/#x"))
    assert found(site) == []
