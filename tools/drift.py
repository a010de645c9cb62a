"""Refuses generated files that differ from what they are generated from."""

import sys
import tempfile
from pathlib import Path

from tools import cli_page, conformance, events_page, gateway, generate, grpc_page

ROOT = Path(__file__).resolve().parent.parent
GENERATED = (
    "gen",
    "gateway-config",
    "envoy.yaml",
    "docs/cli.md",
    "docs/conformance.md",
    "docs/events.md",
    "docs/grpc.md",
    "server/pages/docs/grpc",
)


def differences(committed: Path, fresh: Path) -> list[str]:
    """Compares two trees of generated files.

    Args:
        committed: the root of the one that is kept.
        fresh: the root of the one that was just generated.

    Returns:
        A line for each file that is missing, left over or different; [] where they are equal.
    """
    kept, made = _files(committed), _files(fresh)
    return (
        [f"{name} is missing" for name in sorted(made - kept)]
        + [f"{name} is generated from nothing" for name in sorted(kept - made)]
        + [
            f"{name} differs from what it is generated from"
            for name in sorted(kept & made)
            if (committed / name).read_bytes() != (fresh / name).read_bytes()
        ]
    )


def _files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for name in GENERATED
        for path in (root / name, *(root / name).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def main() -> int:
    """Compares the repository with what `make gen` would write."""
    with tempfile.TemporaryDirectory() as folder:
        generate.main(Path(folder) / "gen")
        gateway.main(Path(folder))
        conformance.main(Path(folder))
        events_page.main(Path(folder))
        cli_page.main(Path(folder))
        grpc_page.main(Path(folder))
        found = differences(ROOT, Path(folder))
    for line in found:
        print(line)
    if found:
        print("Run `make gen` and commit what it writes.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
