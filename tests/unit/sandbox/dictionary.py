"""The dictionary of the installed library, read once for all tests."""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

from sandbox import tokens


@cache
def installed_dictionary() -> tokens.Dictionary:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(tokens.load(Path(folder)))
