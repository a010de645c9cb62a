"""Runs the checks beside each other; one that fails or hangs hides no other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.doctor import (
    client_library,
    clock_and_whatsapp,
    database,
    edge,
    envoy_binary,
    node,
    ports,
    python,
    sessions,
    settings,
    storage,
)
from server.doctor.findings import Finding, broken
from server.doctor.subject import Subject

Check = Callable[[Subject], Awaitable[Sequence[Finding]]]

CHECK_SECONDS: Final = 15.0
"""How long one check may take: most end within a tenth of a second."""
CHECKS: Final[Mapping[str, Check]] = {
    "settings": settings.check,
    "python": python.check,
    "client library": client_library.check,
    "envoy": envoy_binary.check,
    "storage": storage.check,
    "database": database.check,
    "ports": ports.check,
    "node": node.check,
    "edge": edge.check,
    "whatsapp": clock_and_whatsapp.check,
    "sessions": sessions.check,
}
"""By the name that people see, in the order in which they read them."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What one check found.

    Attributes:
        check: its name.
        findings: at least one.
    """

    check: str
    findings: Sequence[Finding]


async def examine(
    subject: Subject,
    checks: Mapping[str, Check] = CHECKS,
    *,
    within: float = CHECK_SECONDS,
    done: Callable[[str], None] = lambda _name: None,
) -> Sequence[Examined]:
    """Runs checks beside each other.

    Args:
        subject: whom to examine.
        checks: by name.
        within: seconds that each may take.
        done: told each time that one has ended.

    Returns:
        What each has found, in the order of `checks`.
    """

    async def run(name: str, check: Check) -> Examined:
        try:
            findings = await asyncio.wait_for(check(subject), within)
        except TimeoutError:
            findings = [
                broken(
                    name,
                    f"the check did not end within {within:g} s",
                    "Something does not answer: look at what the other checks say, and try again.",
                )
            ]
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hide what others find
            findings = [
                broken(name, f"the check itself failed: {type(error).__name__}: {error}", "Report it.")
            ]
        done(name)
        return Examined(name, findings)

    return await asyncio.gather(*(run(name, check) for name, check in checks.items()))
