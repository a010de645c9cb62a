"""Webhooks' secrets: from a file or standard input, never from an argument, which `ps` would show."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.errors import invalid

SecretFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the secret that signs the posts; - is standard input.", show_default=False
    ),
]


def read_secret(path: Path) -> str:
    """The secret in a file, without the end of its line.

    Args:
        path: `-` is standard input.

    Raises:
        WagateError: VALIDATION_ERROR where it cannot be read, or holds none.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise invalid("secret-file", f"{path} cannot be read as text") from None
    if not (secret := text.rstrip("\r\n")):
        raise invalid("secret-file", f"{path} holds no secret")
    return secret
