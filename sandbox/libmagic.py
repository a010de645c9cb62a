"""Makes libmagic loadable where the machine does not have it, so that ``import neonize`` works."""

import ctypes
import importlib.util
from pathlib import Path

__all__ = ["preload"]

_SONAME = "libmagic.so.1"


def preload() -> None:
    """Loads libmagic from the installed ``pylibmagic`` wheel unless the system has its own.

    neonize imports ``python-magic``, which asks the dynamic linker for ``libmagic.so.1``. Once a library of
    that name is loaded, the linker answers with it. ``pylibmagic`` itself is never imported: importing it
    replaces functions of ``ctypes`` for the whole process.

    Raises:
        OSError: Neither the system nor the wheel has the library.
    """
    try:
        ctypes.CDLL(_SONAME)
    except OSError as missing:
        wheel = importlib.util.find_spec("pylibmagic")
        if wheel is None or wheel.origin is None:
            raise OSError(
                f"{_SONAME} is neither installed on this machine nor in the Python environment;"
                " install the package pylibmagic"
            ) from missing
        ctypes.CDLL(str(Path(wheel.origin).parent / _SONAME), mode=ctypes.RTLD_GLOBAL)
