"""Markdown as a page that a browser shows without any script."""

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wagate: the gRPC API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../reference.css">
</head>
<body class="text">
<header>
<nav aria-label="Reference"><strong>wagate</strong><a href="../">REST API</a>
<a href="./" aria-current="page">gRPC API</a><a href="../openapi.json">openapi.json</a>
<a href="../../console/">Console</a></nav>
</header>
<div class="columns">
<nav class="contents" aria-label="On this page">
<ul>
{contents}
</ul>
</nav>
<main>
{body}
</main>
</div>
</body>
</html>
"""
_COMMENT: Final = re.compile(r"<!--.*?-->\n", re.DOTALL)
_TO_ANOTHER_PAGE: Final = re.compile(r"\[([^\]]+)\]\((?!#|https?:)[^)]+\)")
"""A link that leads somewhere in the repository alone."""
_NO_LETTER: Final = re.compile(r"[^\w\- ]")


def anchor(heading: str) -> str:
    """The id of a heading, as code hosts make it: `wagate.v1.Sessions` becomes `wagatev1sessions`."""
    return _NO_LETTER.sub("", heading.lower()).replace(" ", "-")


def page(text: str) -> str:
    """A whole HTML page of a Markdown text, with its headings as contents."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_TO_ANOTHER_PAGE.sub(r"\1", _COMMENT.sub("", text)))
    headings = list(_named(tokens))
    rendered = parser.renderer.render(tokens, parser.options, {})
    # A wide table or line of code scrolls by itself, and by the keyboard too.
    rendered = rendered.replace("<table>", '<div class="wide" tabindex="0"><table>')
    rendered = rendered.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return _PAGE.format(contents="\n".join(_contents(headings)), body=rendered.strip())


def _named(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Gives each heading its id; yields its level and its text."""
    for token, inner in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(inner.content))
            yield token.tag, inner.content


def _contents(headings: list[tuple[str, str]]) -> Iterator[str]:
    for level, heading in headings:
        if level in {"h2", "h3"}:
            yield f'<li class="{level}"><a href="#{anchor(heading)}">{html.escape(heading)}</a></li>'
