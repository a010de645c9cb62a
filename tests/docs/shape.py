"""Compares what a page shows with what came out, in shape: another run has other ids, times and numbers."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_CHANGES: Final = re.compile(
    r"evt_[0-9A-Z]{26}|wh_[0-9A-Z]{26}|\b[0-9A-HJKMNP-TV-Z]{26}\b|wa_\S+|3EB0[0-9A-F]+|\d+"
)
"""What differs from run to run. The order matters: an id holds digits."""
_ANYTHING: Final = "..."


def json_differences(shown: str, came: str) -> list[str]:
    """A line for each difference in shape; none where there is none.

    Both have the same fields with values of the same types; words, which are strings without a digit, and
    true and false are the same. Where null is shown anything may have come. A list that shows something has
    something, and all of it looks like something that is shown.

    Args:
        shown: on the page.
        came: out of the command.
    """
    try:
        made = json.loads(came)
    except ValueError:
        return [f"no JSON: {came[:500]!r}"]
    return list(_differences(json.loads(shown), made, ""))


def _differences(shown: Any, came: Any, path: str) -> Iterator[str]:
    where = path or "the whole"
    if shown is None:
        return
    if isinstance(shown, dict) and isinstance(came, dict):
        if shown.keys() != came.keys():
            yield f"{where} has {sorted(came)}, and shows {sorted(shown)}"
        for key in shown.keys() & came.keys():
            yield from _differences(shown[key], came[key], f"{path}.{key}")
    elif isinstance(shown, list) and isinstance(came, list):
        if shown and not came:
            yield f"{where} is empty"
        for number, item in enumerate(came if shown else []):
            found = [list(_differences(example, item, f"{path}[{number}]")) for example in shown]
            yield from min(found, key=len)
    elif type(shown) is not type(came) or (_is_word(shown) and shown not in (came, _ANYTHING)):
        yield f"{where} is {came!r}, and shows {shown!r}"


def _is_word(shown: object) -> bool:
    """Whether a value is the same in every run."""
    return isinstance(shown, bool) or (isinstance(shown, str) and not _CHANGES.search(shown))


def text_differences(shown: str, came: str) -> list[str]:
    """The first line that is shown and did not come; [] where all came, in their order.

    Ids and numbers may differ, white space is any, and `...` is anything, also any lines. Lines that came
    and are not shown are no difference: progress and the like.

    Args:
        shown: on the page.
        came: out of the command.
    """
    rest = iter([*came.splitlines()])
    for line in shown.splitlines():
        if not line.strip() or line.strip() == _ANYTHING:
            continue
        pattern = _pattern(line)
        if not any(pattern.fullmatch(made.strip()) for made in rest):
            return [
                f"this line did not come, or not behind the one before it: {line!r}; all: {came[:2000]!r}"
            ]
    return []


def _pattern(line: str) -> re.Pattern[str]:
    def escaped(text: str) -> str:
        words = [re.escape(word) for word in re.split(r"\s+", text)]
        return r"\s+".join(words).replace(re.escape(_ANYTHING), ".*")

    parts, end = [], 0
    line = line.strip()
    for found in _CHANGES.finditer(line):
        kind = r"\d+" if found[0].isdigit() else r"\S+"
        parts += [escaped(line[end : found.start()]), kind]
        end = found.end()
    return re.compile("".join([*parts, escaped(line[end:])]))
