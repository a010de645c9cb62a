"""One writer at a time per session, where whether something is stored decides what another one stores."""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

from sqlalchemy import ARRAY, Connection, Integer, bindparam, text

_CLASS: Final = 0x7761
"""Keeps these locks apart from others that a program may take."""
_TAKE: Final = text("SELECT pg_advisory_xact_lock(:class, key) FROM unnest(:keys) AS key").bindparams(
    bindparam("keys", type_=ARRAY(Integer()))
)


def take_turn(connection: Connection, sessions: Iterable[str]) -> None:
    """Waits until no other transaction that took its turn for one of these sessions is under way.

    A message and an act on it may be stored by two transactions at the same time: neither would see the
    other's row, and the act would wait for ever. On SQLite, which has one writer, there is nothing to do.

    Must come before the transaction touches anything else, and once: what waits holds nothing then.
    """
    if connection.dialect.name != "postgresql":
        return
    # In one order everywhere: two writers never wait for each other in a ring.
    keys = sorted({crc32(session.encode()) - 2**31 for session in sessions})
    if keys:
        connection.execute(_TAKE, {"class": _CLASS, "keys": keys})
