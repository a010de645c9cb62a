"""Envoy routes that the transcoder alone cannot give: streams without a time limit, and 405.

The transcoder knows a path with the wrong method only as "not found". So each known path gets a
route behind the RPCs that answers 405 and names the methods that it has.
"""

import re
from collections.abc import Iterable

from tools.rest_descriptor import Binding

_VARIABLE = re.compile(r"\{[^}=]+(?:=([^}]*))?\}")
_WILDCARDS = {"*": "[^/]+", "**": ".*"}


def allowed(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    """Groups the bindings by path.

    Args:
        bindings: every REST binding of the contract.

    Returns:
        A regular expression for the whole path and the value of its `allow` header, the most
        specific path first: paths with a verb (`:start`), then those with fewer wildcards.
    """
    methods: dict[str, set[str]] = {}
    for binding in bindings:
        methods.setdefault(_segments(binding.template), set()).add(binding.method)
    ordered = sorted(methods, key=lambda path: (":" not in path, path.count("*"), path))
    return [(expression(path), ", ".join(sorted(methods[path]))) for path in ordered]


def expression(template: str) -> str:
    """Turns a path template into a regular expression for the whole path, in RE2's syntax.

    Args:
        template: `/v1/things/{thing}/parts/{part=**}:start`, as `google.api.http` writes it.
    """
    pieces = re.split(r"(\*\*|\*)", _segments(template))
    # The transcoder ignores one slash at the end, so 405 has to as well.
    return "".join(_WILDCARDS.get(piece, re.escape(piece)) for piece in pieces) + "/?"


def _segments(template: str) -> str:
    """The template with its variables replaced by what they match."""
    return _VARIABLE.sub(lambda variable: variable[1] or "*", template)
