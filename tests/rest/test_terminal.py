"""`wagate up` without the sandbox: it joins whatever the wire settings name and shows the QR itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.stack import Stack, eventually, free_port


def test_the_qr_is_shown_on_the_terminal_until_the_phone_has_scanned_it(stack: Stack, tmp_path: Path) -> None:
    wire = stack.sandbox.get("/wire").json()
    shown = tmp_path / "terminal"
    port = free_port()
    with shown.open("w") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "up"],
            stdout=terminal,
            stderr=terminal,
            env={
                **os.environ,
                "WAGATE_DATA_DIR": str(tmp_path / "data"),
                "WAGATE_HTTP_PORT": str(port),
                "WAGATE_GRPC_PORT": str(free_port()),
                "WAGATE_REALTIME_PORT": str(free_port()),
                "WAGATE_WIRE_PROXY": wire["proxy"],
                "WAGATE_WIRE_ROOT_KEY": wire["rootKey"],
                "SSL_CERT_FILE": wire["caFile"],
            },
        )
    try:
        eventually(lambda: "Linked devices" in shown.read_text(), "the terminal says what to do")
        eventually(
            lambda: shown.read_text().count("\N{LOWER HALF BLOCK}") > 50, "the terminal shows a QR code"
        )

        key = (tmp_path / "data" / "up.key").read_text().strip()
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"authorization": f"Bearer {key}"}
        ) as rest:
            (session,) = rest.get("/sessions").json()["data"]
            code = rest.get(f"/sessions/{session['id']}/qr").json()["code"]
            stack.sandbox.post("/phones/628110000021/scan", json={"qr": code}).raise_for_status()

            def works() -> bool:
                return bool(rest.get(f"/sessions/{session['id']}").json()["status"] == "working")

            eventually(works, "the session works")
        eventually(
            lambda: "is linked to 628110000021" in shown.read_text(), "the terminal says that it is linked"
        )
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
