"""Makes libmagic loadable: neonize imports it, and a fresh machine may not have it."""

import ctypes
import importlib.util
from pathlib import Path


def ensure_libmagic() -> None:
    """Loads the libmagic of the installed `pylibmagic` wheel where the system has none.

    The loader then finds it by its name. The package itself is not imported: it would replace
    `ctypes.CDLL.__init__` for the whole process.
    """
    try:
        ctypes.CDLL("libmagic.so.1")
    except OSError:
        spec = importlib.util.find_spec("pylibmagic")
        if spec is not None and spec.origin is not None:
            ctypes.CDLL(str(Path(spec.origin).parent / "libmagic.so.1"), ctypes.RTLD_GLOBAL)
