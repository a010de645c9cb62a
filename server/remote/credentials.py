"""The api-key of a call: from the environment or a file, never from an argument, which `ps` would show."""

import os
import sys
from pathlib import Path
from typing import Final

from server.errors import Code, WagateError, invalid
from server.remote.place import Place

VARIABLE: Final = "WAGATE_API_KEY"
"""The variable that holds the key."""
LOCAL: Final = "up.key"
"""The file in the data directory that `wagate up` leaves its key in."""
_LONGEST: Final = 16_384
"""Characters of a key's file at most: anything longer is another file."""


def key_for(place: Place, *, key_file: Path | None, data_dir: Path) -> str:
    """The key to call a gateway with.

    `--key-file` goes first, then the variable, then the key that `wagate up` left behind; that one only
    for a gateway on this machine: it is nobody else's business.

    Args:
        place: the gateway.
        key_file: holds the key; `-` is standard input.
        data_dir: this machine's data directory.

    Raises:
        WagateError: UNAUTHORIZED where there is none; VALIDATION_ERROR for a file that cannot be read or
            holds none.
    """
    if key_file is not None:
        return _from_file(key_file)
    if key := os.environ.get(VARIABLE, "").strip():
        return key
    local = data_dir / LOCAL
    if place.is_this_machine and local.exists():
        return _from_file(local)
    where = f"{local} is not there" if place.is_this_machine else f"{place.url} is not this machine"
    raise WagateError(
        Code.UNAUTHORIZED,
        f"no api-key: {VARIABLE} is not set, no --key-file is given, and {where}. "
        "`wagate keys create` makes a key on the gateway's machine.",
    )


def _from_file(path: Path) -> str:
    try:
        text = sys.stdin.read(_LONGEST + 1) if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise invalid("key-file", f"{path} cannot be read: {reason}") from None
    key = text.strip()
    if not key or len(key) > _LONGEST or len(key.split()) != 1:
        name = "standard input" if str(path) == "-" else str(path)
        raise invalid(
            "key-file", f"{name} holds no api-key: there must be one line with it, and nothing else"
        )
    return key
