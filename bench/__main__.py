"""Runs every benchmark, prints the tables and keeps them in docs/performance.md."""

import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import auth, memory, sends
from tests.support.stack import running

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def main() -> None:
    """Measures in a product of its own."""
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder) / "sends") as stack:
            rows = sends.measure(stack, Path(folder))
        with running(Path(folder) / "memory") as stack:
            per_session, seconds = memory.measure(stack)
        costs = auth.measure(Path(folder))
    fastest = max(rate for way, _, _, rate, _ in rows if way == "gRPC direct")
    lines = [
        "# Performance",
        "",
        (
            f"Printed by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} shared cores,"
            f" {platform.system()}, Python {platform.python_version()}, everything (client, Envoy, node,"
            " sandbox) on the same machine. Compare within one run: figures of different runs differ by"
            " what else the machine does."
        ),
        "",
        "## Sends per second",
        "",
        (
            f"Texts to a contact of the sandbox, each acknowledged; medians of {sends.ROUNDS} interleaved"
            f" rounds of {sends.COUNT}. Raw neonize is the client library alone in a process of its own,"
            " with the same device store options. The gateway also records every message durably before it"
            " answers."
        ),
        "",
        "| way | sessions | in flight | sends/s | of raw |",
        "|---|---|---|---|---|",
        *(f"| {way} | {count} | {fly} | {rate:.0f} | {ratio:.2f} |" for way, count, fly, rate, ratio in rows),
        "",
        f"## {memory.SESSIONS} sessions on one node",
        "",
        f"- Resident memory per further connected session: {per_session:.2f} MB.",
        f"- From `kill -9` of the node until all {memory.SESSIONS + 1} sessions work again: {seconds:.1f} s.",
        "",
        "## Knowing who calls",
        "",
        (
            f"Per call, within the node. The fastest way of sending above takes {1e6 / fastest:.0f} us per"
            " send in all; the last column is a part of that. Once a second a token is verified, in every"
            " other call it is trusted. A send's line of the audit is written behind its answer (CPU time,"
            " with its part of the transaction and its line in the log)."
        ),
        "",
        "| what | us | of a send |",
        "|---|---|---|",
        *(f"| {what} | {cost * 1e6:.1f} | {cost * fastest:.2%} |" for what, cost in costs.items()),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
