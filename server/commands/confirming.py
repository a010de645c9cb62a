"""Asks before something is deleted."""

import sys

import typer

from server.errors import invalid


def confirm(question: str, *, yes: bool) -> None:
    """Goes on where a person says yes.

    Args:
        question: what will happen.
        yes: they have said so already.

    Raises:
        WagateError: VALIDATION_ERROR where nobody can be asked.
        typer.Abort: they said no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise invalid("yes", f"{question} Nobody can be asked here: say --yes")
    typer.confirm(question, abort=True, err=True)
