"""Many names for statements that may name only so many at once."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

PER_STATEMENT: Final = 500
"""Names, or pairs of names, that one statement holds: well below either engine's limit of parameters."""

Name = TypeVar("Name")


def portions(names: Sequence[Name]) -> Iterator[Sequence[Name]]:
    """The names in their order, as many at a time as a statement may hold; nothing where there are none."""
    for start in range(0, len(names), PER_STATEMENT):
        yield names[start : start + PER_STATEMENT]
