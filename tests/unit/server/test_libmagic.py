"""The node starts on a machine without libmagic, which the client library imports."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_client_library_loads_where_the_system_has_no_libmagic(tmp_path: Path) -> None:
    # An empty file stands first in the loader's path: for this process libmagic.so.1 cannot be loaded.
    (tmp_path / "libmagic.so.1").touch()
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}

    def runs(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "failed to find libmagic" in runs("import magic").stderr
    assert runs("import server.whatsapp.client").returncode == 0
    assert runs("import server.whatsapp.pairing_child").returncode == 0
