"""Listing a chat's messages: a long chat against a short one."""

import sqlite3
import statistics
import time

from tests.support.stack import Stack

LONG = 1_000_000
SHORT = 1_000
ROUNDS = 1_000
"""Pages of each, in turn."""

_CHAT = (
    "INSERT INTO chat (session_id, jid, name, last_message_at, unread_count, archived, pinned)"
    " VALUES (?, ?, '', 1, 0, 0, 0) RETURNING id"
)
_MESSAGE = (
    "INSERT INTO message (chat_id, wa_message_id, sender_jid, from_me, type, body, ack_level, timestamp,"
    " created_at, content, edited, deleted, hidden, mentions)"
    " VALUES (?, ?, ?, 0, 'text', ?, 0, ?, ?, ?, 0, 0, 0, '[]')"
)
_TEXT = "a message of some length, as people write them"


def measure(stack: Stack) -> list[tuple[str, int, float, float]]:
    """Measures through REST, 50 messages a page.

    Returns:
        (which page, messages in the chat, p50, p99), in milliseconds.
    """
    session = stack.rest.post("/sessions", json={}).json()["id"]
    chats = {count: fill(stack, session, count) for count in (SHORT, LONG)}
    cursors = {count: middle(stack, session, jid, count) for count, jid in chats.items()}
    times: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for count, jid in chats.items():
            for page, query in (("newest", {}), ("an older one", {"cursor": cursors[count]})):
                began = time.perf_counter()
                answer = stack.rest.get(f"/sessions/{session}/chats/{jid}/messages", params=query)
                times.setdefault((page, count), []).append((time.perf_counter() - began) * 1000)
                answer.raise_for_status()
    return [
        (page, count, statistics.median(found), statistics.quantiles(found, n=100)[98])
        for (page, count), found in sorted(times.items())
    ]


def fill(stack: Stack, session: str, count: int) -> str:
    """A chat with so many messages; returns its JID."""
    jid = f"6281999{count:07}@s.whatsapp.net"
    with sqlite3.connect(stack.data_dir / "wagate.db", timeout=60) as database:
        (chat_id,) = database.execute(_CHAT, (session, jid)).fetchone()
        content = b"\x0a" + bytes([len(_TEXT)]) + _TEXT.encode()
        rows = ((chat_id, f"M{n}", jid, _TEXT, n, n, content) for n in range(count))
        database.executemany(_MESSAGE, rows)
    database.close()
    return jid


def middle(stack: Stack, session: str, jid: str, count: int) -> str:
    """The cursor of a page some way down."""
    cursor = ""
    for _ in range(min(count, 10_000) // 400):
        query = {"limit": "200", "cursor": cursor}
        cursor = stack.rest.get(f"/sessions/{session}/chats/{jid}/messages", params=query).json()[
            "nextCursor"
        ]
    return cursor
