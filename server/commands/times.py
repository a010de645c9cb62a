"""Times as people write and read them."""

import re
from datetime import UTC, datetime
from typing import Final

import typer

_UNITS: Final = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([mhdw])")


def milliseconds(duration: str) -> int:
    """A duration such as `30m`, `12h`, `90d` or `4w`, in milliseconds.

    Raises:
        typer.BadParameter: it is none.
    """
    found = _DURATION.fullmatch(duration.strip())
    if found is None:
        raise typer.BadParameter(f"'{duration}' is no duration: write a number and m, h, d or w, such as 90d")
    return int(found[1]) * _UNITS[found[2]] * 1000


def moment(text: str, now: int) -> int:
    """A moment of the past in epoch milliseconds: a duration before `now`, or an ISO 8601 date or time.

    Args:
        text: such as `7d`, `2026-11-21` or `2026-11-21T12:00:00+02:00`; UTC where it names no zone.
        now: epoch milliseconds.

    Raises:
        typer.BadParameter: it is none.
    """
    if _DURATION.fullmatch(text.strip()):
        return now - milliseconds(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is neither a duration such as 7d nor a date or time") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(at: int | None) -> str:
    """A time for people: UTC to the second, or "never"."""
    if at is None:
        return "never"
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
