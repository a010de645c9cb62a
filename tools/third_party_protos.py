"""Copies the third-party .proto files that ours import out of the installed packages.

They are never committed: `build/third_party` is made anew from googleapis-common-protos (and the
well-known types of grpcio-tools stay where protoc finds them by itself).
"""

import importlib.util
import os
import sys
from pathlib import Path

FILES = (
    "google/api/annotations.proto",
    "google/api/field_behavior.proto",
    "google/api/http.proto",
    "google/api/httpbody.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
)


def main(target: Path) -> None:
    """Copies FILES below `target`. Another process may read or copy them at the same time.

    Args:
        target: the folder that becomes a buf module, created when missing.
    """
    spec = importlib.util.find_spec("google.api")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("googleapis-common-protos is not installed: run `make setup`")
    site = Path(next(iter(spec.submodule_search_locations))).parent.parent
    for name in FILES:
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        unfinished = destination.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes((site / name).read_bytes())
        unfinished.replace(destination)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
