"""Faults: ways in which the network misbehaves on request, so that clients can be tried against them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

__all__ = ["KINDS", "Fault", "FaultError", "Faults"]


class FaultError(ValueError):
    """A fault that cannot be had as described."""


@dataclass(frozen=True, slots=True)
class _Field:
    type: type | tuple[type, ...]
    default: object = None
    choices: tuple[object, ...] = ()
    minimum: float | None = None


_NUMBER = (int, float)
_COMMON = {
    "number": _Field(str),
    "count": _Field(int, minimum=1),
    "seconds": _Field(_NUMBER, minimum=0),
}

KINDS: Mapping[str, Mapping[str, _Field]] = {
    "ack_drop": {},
    "ack_delay": {"delay": _Field(_NUMBER, 1.0, minimum=0)},
    "ack_error": {"code": _Field(int, 479, minimum=400)},
    "silence": {},
    "cut": {
        "when": _Field(str, "now", choices=("now", "next_message")),
        "delivered": _Field(bool, default=False),
    },
    "refuse": {},
    "freeze": {"stage": _Field(str, "tunnel", choices=("tunnel", "upgrade", "handshake"))},
    "ping_drop": {},
    "lag": {"delay": _Field(_NUMBER, 1.0, minimum=0)},
    "stream_error": {"code": _Field((int, str), 503, choices=(401, 503, 515, "replaced"))},
    "connect_failure": {
        "code": _Field(int, 403, minimum=400),
        "expire": _Field(int, 3600, minimum=1),
        "ban": _Field(int, 101, choices=(101, 102, 103, 104, 106)),
    },
    "duplicate": {},
    "reorder": {},
    "corrupt": {},
    "unavailable": {"type": _Field(str, "view_once")},
    "slow_offline": {
        "delay": _Field(_NUMBER, 1.0, minimum=0),
        "pause": _Field(_NUMBER, 0.0, minimum=0),
    },
    "no_lid": {},
    "absent": {},
    "group_refused": {
        "code": _Field(int, 403, minimum=400),
        "action": _Field(
            str,
            "any",
            choices=(
                "any",
                "create",
                "info",
                "list",
                "preview",
                "join",
                "leave",
                "invite",
                "members",
                "settings",
            ),
        ),
    },
    "add_refused": {"code": _Field(int, 403, minimum=400)},
    "codes_expired": {},
    "passkey": {},
}
"""Every kind of fault with the fields that it has beside number, count and seconds."""


@dataclass(slots=True, eq=False)
class Fault:
    """A fault that is active.

    Attributes:
        id: Its number, in the order of asking.
        kind: One of ``KINDS``.
        number: The account that it hits; None for all.
        remaining: How many times it still happens; None for no limit.
        expires: When it ends (monotonic seconds); None for never.
        fields: The kind's own fields, with defaults filled in.
    """

    id: int
    kind: str
    number: str | None
    remaining: int | None
    expires: float | None
    fields: dict[str, Any]

    def hits(self, number: str | None) -> bool:
        """Whether an account is meant; None stands for a connection whose account is not known yet."""
        return self.number is None or self.number == number

    @property
    def immediate(self) -> bool:
        """Whether it happens once, at the moment it is asked for."""
        return self.kind == "stream_error" or (self.kind == "cut" and self.fields["when"] == "now")

    def describe(self) -> dict[str, object]:
        """The fault as JSON."""
        shown: dict[str, object] = {"id": self.id, "kind": self.kind, **self.fields}
        if self.number is not None:
            shown["number"] = self.number
        if self.remaining is not None:
            shown["count"] = self.remaining
        if self.expires is not None:
            shown["seconds"] = round(max(self.expires - time.monotonic(), 0.0), 3)
        return shown


class Faults:
    """The active faults. Asking for one costs next to nothing while none is active."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._ids = count(1)

    def add(self, request: Mapping[str, object]) -> Fault:
        """Makes a fault active, unless it is an immediate one, which the caller carries out.

        Args:
            request: ``kind``, the kind's fields, and optionally ``number``, ``count``, ``seconds``.

        Raises:
            FaultError: Unknown kind or field, or a value out of range; says what is allowed.
        """
        fault = self._parse(request)
        if not fault.immediate:
            self._active.append(fault)
        return fault

    def take(self, kind: str, number: str | None) -> Fault | None:
        """The fault that hits now, if any; uses up one of its count."""
        if not self._active:
            return None
        fault = self.peek(kind, number)
        if fault is not None and fault.remaining is not None:
            fault.remaining -= 1
            if not fault.remaining:
                self._active.remove(fault)
        return fault

    def peek(self, kind: str, number: str | None) -> Fault | None:
        """The fault that hits now, if any, without using it up."""
        if not self._active:
            return None
        self._expire()
        return next((f for f in self._active if f.kind == kind and f.hits(number)), None)

    def active(self) -> list[Fault]:
        """All active faults, oldest first."""
        self._expire()
        return list(self._active)

    def clear(self) -> None:
        """Ends all faults."""
        self._active.clear()

    def end(self, fault_id: int) -> bool:
        """Ends one fault; False where none with this id is active."""
        left = [fault for fault in self.active() if fault.id != fault_id]
        ended = len(left) < len(self._active)
        self._active = left
        return ended

    def _expire(self) -> None:
        now = time.monotonic()
        if any(fault.expires is not None and fault.expires <= now for fault in self._active):
            self._active = [f for f in self._active if f.expires is None or f.expires > now]

    def _parse(self, request: Mapping[str, object]) -> Fault:
        kind = request.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise FaultError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
        fields = {**_COMMON, **KINDS[kind]}
        values: dict[str, Any] = {}
        for name, value in request.items():
            if name == "kind":
                continue
            if name not in fields:
                raise FaultError(f"{kind} has no field {name!r}; it has {', '.join(fields)}")
            _check(kind, name, fields[name], value)
            values[name] = value
        number, remaining, seconds = (values.pop(name, None) for name in _COMMON)
        own = {name: values.get(name, field.default) for name, field in KINDS[kind].items()}
        expires = None if seconds is None else time.monotonic() + seconds
        return Fault(next(self._ids), kind, number, remaining, expires, own)


def _check(kind: str, name: str, field: _Field, value: object) -> None:
    # bool is an int in Python, but true is no number in JSON.
    if not isinstance(value, field.type) or (isinstance(value, bool) and field.type is not bool):
        raise FaultError(f"{name} of {kind} has the wrong type: {value!r}")
    if field.choices and value not in field.choices:
        raise FaultError(f"{name} of {kind} is one of {', '.join(map(repr, field.choices))}, not {value!r}")
    if field.minimum is not None and isinstance(value, _NUMBER) and value < field.minimum:
        raise FaultError(f"{name} of {kind} is at least {field.minimum}, not {value!r}")
