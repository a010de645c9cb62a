"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Nothing is wrong, but a person may want to know."""
    WARNING = "warning"
    """It works, and it is unsafe or will not work for long."""
    BROKEN = "broken"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: how much it matters.
        where: what it is about: a file, an address, a setting, a session.
        message: what is so.
        advice: what to do; "" where nothing is to be done.
    """

    level: Level
    where: str
    message: str
    advice: str = ""


def ok(where: str, message: str) -> Finding:
    """A finding that all is well."""
    return Finding(Level.OK, where, message)


def note(where: str, message: str, advice: str = "") -> Finding:
    """A finding that a person may want to know of."""
    return Finding(Level.NOTE, where, message, advice)


def warning(where: str, message: str, advice: str) -> Finding:
    """A finding of something unsafe, or that will not work for long."""
    return Finding(Level.WARNING, where, message, advice)


def broken(where: str, message: str, advice: str) -> Finding:
    """A finding of something that does not work."""
    return Finding(Level.BROKEN, where, message, advice)
