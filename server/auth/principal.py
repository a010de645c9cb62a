"""Who calls, for which organization, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum

from server.errors import Code, WagateError


class Capability(StrEnum):
    """What a caller may do; every operation needs exactly one."""

    READ = "read"
    """Look at stored data."""
    SEND = "send"
    """Send messages and change chats."""
    MANAGE = "manage"
    """Create, pair, stop and delete sessions."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        organization_id: the only organization whose resources exist for this caller.
        subject: who it is, as `createdByUserId` shows it.
        capabilities: what it may do.
    """

    organization_id: str
    subject: str
    capabilities: frozenset[Capability]

    def require(self, capability: Capability) -> None:
        """Refuses a caller who lacks a capability.

        Raises:
            WagateError: FORBIDDEN.
        """
        if capability not in self.capabilities:
            raise WagateError(
                Code.FORBIDDEN,
                f"this token lacks the capability '{capability}'",
                {"required": str(capability)},
            )
