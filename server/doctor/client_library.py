"""The library that speaks to WhatsApp, and what it needs of the system."""

import sys
from collections.abc import Sequence
from typing import Final

from server.doctor.findings import Finding, broken, ok
from server.doctor.processes import output_of
from server.doctor.subject import Subject

# In a process of its own: what the library may do on being loaded must not happen to the doctor.
_LOAD: Final = (
    "import ctypes, sys\n"
    "try:\n"
    "    import server.whatsapp\n"
    "    ctypes.CDLL('libmagic.so.1')\n"
    "except OSError as error:\n"
    "    sys.exit(f'libmagic: {error}')\n"
    "import neonize\n"
    "print(neonize.__version__)\n"
)


async def check(_subject: Subject) -> Sequence[Finding]:
    """Whether the library can be loaded here."""
    status, out, err = await output_of(sys.executable, "-c", _LOAD)
    last = (err.strip().splitlines() or ["no word why"])[-1]
    if last.startswith("libmagic: "):
        return [
            broken(
                "libmagic",
                f"cannot be loaded ({last.removeprefix('libmagic: ')}), and the client library needs it",
                "Install it: the package libmagic1 of Debian and Ubuntu, file-libs of Fedora; or install "
                "wagate again, whose package pylibmagic brings it.",
            )
        ]
    if status != 0:
        return [broken("neonize", f"cannot be loaded: {last}", "Install wagate again: `make setup`, or pip.")]
    words = f"neonize {out.strip().splitlines()[-1]} and libmagic are there"
    return [ok("neonize", f"{words}; should WhatsApp find it too old, sessions end as `outdated`")]
