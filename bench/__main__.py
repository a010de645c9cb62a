"""Runs every benchmark, prints the tables and keeps them in docs/performance.md."""

import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import auth, following, history, inbound, listing, memory, outgoing, sends
from tests.support.stack import running

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"

TO = "628150000000"
RATES = {"WAGATE_RATE_PER_MIN": "100000", "WAGATE_RATE_PER_HOUR": "1000000"}
"""Rates that no benchmark reaches, so that sends are counted and never refused."""


def main() -> None:
    """Measures in a product of its own."""
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder) / "sends") as stack:
            rows = sends.measure(stack, Path(folder))
            pages = listing.measure(stack)
        with running(Path(folder) / "outbox") as stack, running(Path(folder) / "rates", **RATES) as limited:
            kinds = outgoing.measure_keys(stack, limited)
        with running(Path(folder) / "drain") as stack:
            stack.person(TO, kind="sink")
            with sends.raw(stack, Path(folder) / "raw", TO, quiet=False) as neonize:
                outbox = outgoing.measure_outbox(stack, neonize, TO)
        with running(Path(folder) / "inbound") as stack:
            arrivals = inbound.measure(stack, Path(folder))
        with running(Path(folder) / "memory") as stack:
            per_session, seconds = memory.measure(stack)
        with running(Path(folder) / "following") as stack:
            followed = following.measure(stack)
        costs = auth.measure(Path(folder))
        with running(Path(folder) / "history") as stack:
            past = history.measure(stack)
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
        "## Keys and rates",
        "",
        (
            f"Over REST, one session, {outgoing.IN_FLIGHT} in flight, medians of {outgoing.ROUNDS}"
            f" interleaved rounds of {outgoing.COUNT}. A key, and a rate, is written down in a commit of its"
            " own before the message goes out; without either there is no such commit."
        ),
        "",
        "| sends | per second | of those without |",
        "|---|---|---|",
        *(f"| {kind} | {rate:.0f} | {ratio:.2f} |" for kind, rate, ratio in kinds),
        "",
        "## Async sends",
        "",
        (
            f"Over REST, {2 * outgoing.IN_FLIGHT} in flight, {outgoing.ACCEPTED} at a time, medians of"
            f" {outgoing.ROUNDS} rounds. Each is durable before its 202."
        ),
        "",
        f"- Accepted per second while the session is away: {outbox.away:.0f}.",
        f"- Accepted per second while it sends what is accepted: {outbox.at_work:.0f}.",
        *(
            f"- Sent from the outbox per second, to {chats} {'chats' if chats > 1 else 'chat, in order'}:"
            f" {rate:.0f}, {ratio:.2f} of raw neonize with {outgoing.IN_FLIGHT} in flight."
            for chats, (rate, ratio) in outbox.drained.items()
        ),
        "",
        "## Received messages",
        "",
        (
            f"{inbound.WRITERS * inbound.EACH:,} texts from {inbound.WRITERS} persons wait for one session,"
            f" and come as fast as it takes them; medians of {inbound.ROUNDS} interleaved rounds. The gateway"
            " tells WhatsApp of each only when it is stored and in the event log."
        ),
        "",
        "| way | messages/s | of raw |",
        "|---|---|---|",
        *(f"| {way} | {rate:.0f} | {ratio:.2f} |" for way, rate, ratio in arrivals),
        "",
        "## Long chats",
        "",
        f"One page of 50 messages over REST, {listing.ROUNDS} of each kind in turn.",
        "",
        "| page | messages in the chat | p50 ms | p99 ms |",
        "|---|---|---|---|",
        *(f"| {page} | {count:,} | {p50:.1f} | {p99:.1f} |" for page, count, p50, p99 in pages),
        "",
        f"## {memory.SESSIONS} sessions on one node",
        "",
        f"- Resident memory per further connected session: {per_session:.2f} MB.",
        f"- From `kill -9` of the node until all {memory.SESSIONS + 1} sessions work again: {seconds:.1f} s.",
        "",
        *following.lines(followed),
        "## History",
        "",
        (
            f"A phone gives {history.MESSAGES:,} messages in {history.CHATS} chats to a session that is live,"
            " while a person writes to it, one message after the other."
        ),
        "",
        f"- Stored: {past.messages:,} messages (the rest are no messages), {past.rate:,.0f} per second.",
        f"- Memory that the node took meanwhile, at most: {past.memory:.0f} MB.",
        (
            f"- From a person's send to its event: p50 {past.meanwhile[0] * 1000:.0f} ms, the longest"
            f" {past.meanwhile[1] * 1000:.0f} ms; without history {past.quiet[0] * 1000:.0f} ms and"
            f" {past.quiet[1] * 1000:.0f} ms."
        ),
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
