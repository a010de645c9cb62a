"""Paging cursors: opaque to callers, and refused where they were not made here."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final

from server.errors import invalid

_SIGNATURE: Final = 12
"""Bytes of signature: a forged cursor could only page what its forger may read anyway."""


class Cursors:
    """Signs positions in a list, so that a cursor is good for that list alone."""

    def __init__(self, key: bytes) -> None:
        """Signs with `key`, which all nodes share."""
        self._key = key

    def encode(self, scope: str, position: tuple[int | str | bool, ...]) -> str:
        """A cursor behind `position` of the list `scope`."""
        payload = json.dumps(position, separators=(",", ":")).encode()
        return _spell(self._sign(scope, payload) + payload)

    def decode(self, scope: str, cursor: str) -> list[int | str | bool]:
        """The position that a cursor of the list `scope` stands for.

        Raises:
            WagateError: VALIDATION_ERROR for anything but an unchanged cursor of that list.
        """
        try:
            raw = base64.b64decode(
                cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
        except (ValueError, binascii.Error):
            raw = b""
        signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
        # Base64 has several spellings of the same bytes; ours is one of them.
        unchanged = _spell(raw) == cursor
        if not payload or not unchanged or not hmac.compare_digest(signature, self._sign(scope, payload)):
            raise invalid("cursor", "not a nextCursor of this list")
        position: list[int | str | bool] = json.loads(payload)
        return position

    def _sign(self, scope: str, payload: bytes) -> bytes:
        return hmac.digest(self._key, scope.encode() + b"\0" + payload, hashlib.sha256)[:_SIGNATURE]


def _spell(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def page_size(limit: int) -> int:
    """The documented page size for a requested one: 0 is 50, everything else clamps to 1-200."""
    return 50 if limit == 0 else min(200, max(1, limit))
