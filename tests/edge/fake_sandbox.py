"""Stands in for the sandbox: answers `GET /wire` and holds a process of its own.

`python -m tests.edge.fake_sandbox FOLDER` reads the root key that it tells from FOLDER/root and
writes the process that it has started to FOLDER/grandchild.
"""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
PORT = int(os.environ["WAGATE_SANDBOX_PORT"])


class Wire(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        root = (FOLDER / "root").read_text()
        wire = {"proxy": f"http://127.0.0.1:{PORT}", "rootKey": root, "caFile": "/nowhere/ca.pem"}
        body = json.dumps(wire).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if (FOLDER / "stubborn").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    (FOLDER / "grandchild").write_text(str(grandchild.pid))
    sys.stderr.write("the stand-in serves\n")
    HTTPServer(("127.0.0.1", PORT), Wire).serve_forever()
