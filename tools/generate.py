"""Generates gen/ from protos/: messages, type stubs and gRPC services."""

import shutil
import subprocess
import sys
from pathlib import Path

from tools import third_party_protos

ROOT = Path(__file__).resolve().parent.parent
THIRD_PARTY = ROOT / "build" / "third_party"
BIN = Path(sys.executable).parent


def main(target: Path) -> None:
    """Writes the generated packages below `target`, which is emptied first.

    Args:
        target: the root of the generated packages; it goes on the import path.
    """
    third_party_protos.main(THIRD_PARTY)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    protos = sorted(p.relative_to(ROOT / "protos").as_posix() for p in (ROOT / "protos").rglob("*.proto"))
    services = [name for name in protos if "\nservice " in (ROOT / "protos" / name).read_text()]
    include = [f"-I{ROOT / 'protos'}", f"-I{THIRD_PARTY}"]
    plugins = [
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
    ]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *include, *plugins]
    subprocess.run([*protoc, f"--python_out={target}", f"--mypy_out=quiet:{target}", *protos], check=True)
    subprocess.run(
        [*protoc, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services], check=True
    )
    # The folders above the packages are namespaces: the client is a part of `wagate` as well.
    for package in {path.parent for path in target.rglob("*.py")}:
        (package / "__init__.py").touch()
        (package / "py.typed").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "gen")
