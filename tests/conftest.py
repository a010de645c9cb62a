"""Loads neonize once, before any test.

On its first import it asks a shell for the system's name and forgets the shell: Python keeps it until the
next process is started, and the test that starts it would be blamed for a pipe that was left open.
"""

import os
import subprocess
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    import server.whatsapp.stored  # noqa: F401 - imported for what it loads

    while subprocess._active:  # type: ignore[attr-defined] # noqa: SLF001 - where Python keeps them
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        subprocess._cleanup()  # type: ignore[attr-defined] # noqa: SLF001 - what it does before a next one
