"""Makes one run's examples look like every other's: fixed ids, times and tokens in the place of real ones.

What an id stands for is kept: two examples that name the same session still do so. Everything that does not
differ from run to run stays what the product said.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ulid import ULID

NOON: Final = 1_795_262_400_000
"""21 November 2026, 12:00 UTC, epoch milliseconds: when all examples happen."""
_MOMENT: Final = 1_000_000_000_000
_FAR: Final = 4_000_000_000_000
"""Epoch milliseconds lie between these, unless a request made them up."""
_BETWEEN_ITEMS: Final = 60_000
_AFTER_NOON: Final = {
    "createdAt": 250,
    "updatedAt": 48_120,
    "lastConnectedAt": 48_090,
    "since": 48_090,
    "lastAckAt": 300_000,
    "lastInboundAt": 312_000,
    "lastKeepAliveAt": 326_400,
    "expiresAt": 60_000,
    "deliveredAt": 640,
    "nextAttemptAt": 5_250,
}
"""Milliseconds by the field's name; others happen at noon."""


def _digits(kind: str, number: int, length: int) -> str:
    return str(int(hashlib.sha256(f"{kind} {number}".encode()).hexdigest(), 16))[:length]


def _ulid(number: int) -> str:
    random = hashlib.sha256(f"example {number}".encode()).digest()[:10]
    return str(ULID((NOON + number * 977).to_bytes(6, "big") + random))


def _hexadecimal(kind: str, number: int, length: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:length].upper()


_IDS: Final[Mapping[str, tuple[re.Pattern[str], Callable[[int], str]]]] = {
    "a ULID": (re.compile(r"(?<![0-9A-Z])(?!0{26})[0-7][0-9A-HJKMNP-TV-Z]{25}(?![0-9A-Z])"), _ulid),
    "a message's id": (
        re.compile(r"(?<![0-9A-Z])3EB0[0-9A-F]{16,28}(?![0-9A-F])"),
        lambda number: "3EB0" + _hexadecimal("message", number, 18),
    ),
    "a LID": (re.compile(r"(?<!\d)\d{4,20}(?=@lid)"), lambda number: "1" + _digits("lid", number, 14)),
    "a group": (
        re.compile(r"(?<!\d)\d{10,25}(?=@g\.us)"),
        lambda number: "120363" + _digits("group", number, 12),
    ),
}
"""What every run makes anew, wherever it stands, and what the n-th of them is called here."""
_BY_NAME: Final = {
    "ticket": "tk_4rDq0h2Jx8yWm5vKcT1nPzLb6sGfE9uAoXiQ3tRj7Yw",
    "nextCursor": "pX3nUq0aVb7cKd2eWzE1LjUsIjAxS0FEIl0",
    "code": "https://wa.me/settings/linked_devices#2@Zk1pQ0s4dHc5eVhKbTJ2TnI3Ug,"
    "jopdmfYRCdJ58QqqVg4f/nc7jtRZ87HykALAhfZ9FCY=,z/KN05WEr3aAP38R+oISuhzh1VTzdi7YsXZ6ejEgQTw=,"
    "OT/tsp2mOUZ1avm8sx/Opi4mPvxS+BRHvQCzcn+wIY4=,9",
}
"""Texts that are different each time, and that only their field tells."""
_PAIRING_CODE: Final = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


class Steadying:
    """Replaces what differs, the same by the same."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        """Replaces also every text of `aliases` by its own."""
        self._aliases = aliases
        self._seen: dict[str, dict[str, str]] = {kind: {} for kind in _IDS}
        self._numbers: dict[int, int] = {}

    def steady(
        self, value: Any, name: str = "", beside: Mapping[str, Any] | None = None, item: int = 0
    ) -> Any:
        """A value as it is in every run.

        Args:
            value: JSON.
            name: of the field that it stands in.
            beside: the object that it stands in.
            item: which of a list's items it belongs to, from 0; negative where later ones are older.
        """
        match value:
            case dict():
                return {key: self.steady(inner, key, value, item) for key, inner in value.items()}
            case list():
                back = -1 if _falls(value) else 1
                return [self.steady(inner, name, beside, back * index) for index, inner in enumerate(value)]
            case str():
                return self._text(value, name)
            case int() if not isinstance(value, bool):
                return self._number(value, name, beside or {}, item)
        return value

    def _text(self, text: str, name: str) -> str:
        if "\ndata: " in text:
            return "\n".join(self._line(line) for line in text.split("\n"))
        if name == "code" and _PAIRING_CODE.fullmatch(text):
            return "K7XM-2QPD"
        if text and name in _BY_NAME and " " not in text and (name != "code" or "," in text):
            return _BY_NAME[name]
        for real, alias in self._aliases.items():
            text = text.replace(real, alias)
        for kind, (pattern, make) in _IDS.items():
            for real in dict.fromkeys(pattern.findall(text)):
                text = text.replace(real, self._id(kind, real, make))
        return text

    def _line(self, line: str) -> str:
        """A line of server-sent events."""
        before, mark, data = line.partition("data: ")
        if not mark:
            return self._text(line, "")
        steady = self.steady(json.loads(data))
        return before + mark + json.dumps(steady, ensure_ascii=False, separators=(",", ":"))

    def _id(self, kind: str, real: str, make: Callable[[int], str]) -> str:
        seen = self._seen[kind]
        return seen.setdefault(real, make(len(seen) + 1))

    def _number(self, number: int, name: str, beside: Mapping[str, Any], item: int) -> int:
        if _MOMENT < number < _FAR:
            if name == "updatedAt" and beside.get("createdAt") == number:
                name = "createdAt"
            return NOON + _AFTER_NOON.get(name, 0) + item * _BETWEEN_ITEMS
        if name == "id":
            return self._numbers.setdefault(number, len(self._numbers) + 1)
        return number


def _falls(items: list[Any]) -> bool:
    """Whether a list of objects goes from the newest to the oldest."""
    times = [
        time
        for item in items
        if isinstance(item, dict) and (time := item.get("lastMessageAt") or item.get("createdAt"))
    ]
    return times[0] >= times[-1] if times else False
