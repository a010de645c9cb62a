"""How a process joins the network, and how the network refuses to start."""

import os
import subprocess
import sys
from pathlib import Path

from tests.wire.sandbox_process import SandboxProcess

HOOK = """
import sys
from sandbox import libmagic
libmagic.preload()
from sandbox.wire_hook import PINNED_ROOT, WireHookError, trust_root
key = bytes.fromhex(sys.argv[1])
for wrong in (b"", key + b"!"):
    try:
        trust_root(wrong)
    except ValueError as error:
        assert "32 bytes" in str(error)
    else:
        raise AssertionError("a key of the wrong size was taken")
trust_root(key)
trust_root(key)
try:
    trust_root(bytes(range(32)))
except WireHookError as error:
    print("REFUSED", error)
assert "sandbox.service" not in sys.modules
"""


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_trusts_another_root_once(sandbox: SandboxProcess) -> None:
    # In a process of its own: the change is for good.
    done = python("-c", HOOK, sandbox.wire["rootKey"])
    assert done.returncode == 0, done.stderr
    assert "REFUSED expected WhatsApp's root key exactly once" in done.stdout


def test_the_network_says_how_to_join(sandbox: SandboxProcess) -> None:
    wire = sandbox.wire
    assert wire["proxy"] == sandbox.url
    assert len(bytes.fromhex(wire["rootKey"])) == 32
    pem = Path(wire["caFile"])
    assert pem.is_relative_to(sandbox.data_dir)
    assert "PRIVATE KEY" not in pem.read_text()


def test_two_networks_do_not_share_a_folder(sandbox: SandboxProcess) -> None:
    done = python("-m", "sandbox", WAGATE_SANDBOX_PORT="0", WAGATE_DATA_DIR=str(sandbox.data_dir))
    assert done.returncode == 1
    assert "does another sandbox use it?" in done.stderr


def test_a_port_that_is_taken_is_told(sandbox: SandboxProcess, tmp_path: Path) -> None:
    port = sandbox.url.rpartition(":")[2]
    done = python("-m", "sandbox", WAGATE_SANDBOX_PORT=port, WAGATE_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "address already in use" in done.stderr


def test_a_setting_that_is_wrong_is_told(tmp_path: Path) -> None:
    done = python("-m", "sandbox", WAGATE_SANDBOX_PORT="x", WAGATE_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "WAGATE_SANDBOX_PORT is 'x'" in done.stderr
