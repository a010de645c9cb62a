"""What commands print: tables and words for people, JSON for programs."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.remote.documents import text_of

_ENDLESS: Final = 100_000
"""Columns of what is no terminal: nothing is cut there, a program or a file reads it."""
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What terminals obey, and what turns the direction of a line around: others wrote it."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table.

    Attributes:
        title: its head.
        value: what stands there for a row.
        may_shrink: whether it is cut where the terminal is narrow; ids are not, for they are copied.
        is_number: set to the right.
    """

    title: str
    value: Callable[[Row], str]
    may_shrink: bool = False
    is_number: bool = False


class Output:
    """Standard output of one command.

    Attributes:
        is_json: whether programs read it.
    """

    def __init__(self, *, is_json: bool) -> None:
        """Prints documents where `is_json`, else tables."""
        self.is_json = is_json
        self._console = console_on(sys.stdout)

    def document(self, document: object) -> None:
        """Prints the one document of a command; for programs alone."""
        self._write(text_of(document))

    def line(self, document: object) -> None:
        """Prints one document of many, in a line; for programs alone."""
        self._write(text_of(document, is_line=True))

    def table(self, columns: Sequence[Column[Row]], rows: Sequence[Row], *, empty: str) -> None:
        """Prints a table.

        Args:
            columns: from the left to the right.
            rows: from the top.
            empty: a sentence for where there are none.
        """
        if not rows:
            self.say(empty)
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in columns:
            table.add_column(
                column.title,
                no_wrap=True,
                overflow="ellipsis",
                justify="right" if column.is_number else "left",
                min_width=None if column.may_shrink else _widest(column, rows),
            )
        for row in rows:
            table.add_row(*(Text(printable(column.value(row))) for column in columns))
        with self._console.capture() as captured:
            self._console.print(table)
        for line in captured.get().splitlines():
            # Cells are padded to the width of their column, the last one for nobody.
            sys.stdout.write(f"{line.rstrip()}\n")

    def fields(self, fields: Sequence[tuple[str, str]]) -> None:
        """Prints one thing: a line for each of its fields."""
        width = max(len(name) for name, _ in fields) + 2
        for name, value in fields:
            line = Text(name.ljust(width), style="bold")
            line.append(printable(value), style="not bold")
            self._console.print(line, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Prints a line for people, however long it is."""
        self._console.print(Text(printable(text), style=style), soft_wrap=True)

    def text(self, text: Text) -> None:
        """Prints a line for people, with its styles; its parts must be `printable`."""
        self._console.print(text, soft_wrap=True)

    def message(self, head: str, body: str, marks: str) -> None:
        """Prints what somebody wrote: who and when, and below it what.

        Args:
            head: who, when and the id.
            body: possibly of many lines; those below the first cannot look like a head.
            marks: what else there is to say of it, "" for nothing.
        """
        self._console.print(Text(printable(head), style="dim"), soft_wrap=True)
        for line in body.splitlines() or [""]:
            self._console.print(Text(f"    {printable(line)}"), soft_wrap=True)
        if marks:
            self._console.print(Text(f"    ({printable(marks)})", style="dim"), soft_wrap=True)

    def aside(self, text: str) -> None:
        """Says something to people that is no part of the answer: on standard error."""
        sys.stdout.flush()
        console_on(sys.stderr).print(Text(printable(text), style="dim"), soft_wrap=True)

    def flush(self) -> None:
        """Hands everything over now, so that whoever has gone away is noticed here."""
        sys.stdout.flush()

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def console_on(stream: Any) -> Console:
    """A console without colours where nobody sees them (no terminal, or NO_COLOR is set)."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else _ENDLESS
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def printable(text: str) -> str:
    """A text that others wrote, without what a terminal would obey."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _widest(column: Column[Row], rows: Sequence[Row]) -> int:
    return max(len(column.title), *(len(printable(column.value(row))) for row in rows))
