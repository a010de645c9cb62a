"""`python -m tools.grpc_page [folder]`: writes both below a folder, the repository's root by default."""

import sys
from pathlib import Path

from tools.grpc_page.writing import ROOT, main

main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
