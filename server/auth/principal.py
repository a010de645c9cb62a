"""Who calls, for which organization, and what they may do."""

from dataclasses import dataclass, field
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


class ActorKind(StrEnum):
    """How somebody proved who they are, as the audit shows it."""

    KEY = "key"
    """An api-key; the subject is its id."""
    JWT = "jwt"
    """A login token of the frontend; the subject is its `sub`."""
    TOKEN = "token"  # noqa: S105 - a word, no secret
    """A user's token of the WUTS API; the subject is the user."""
    CLI = "cli"
    """The command line on the gateway's machine; the subject is the system's user."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        organization_id: the only organization whose resources exist for this caller; "" for none.
        subject: who it is, as `createdByUserId` shows it.
        capabilities: what it may do.
        kind: how it proved that.
        is_super_admin: whether it may use the admin operations. That alone gives none of the
            capabilities (REST API, Conventions).
        signed_by: the id of the key that signed the login token; "" for an api-key.
        expires_at: from when on the login token is refused, epoch milliseconds; None for an api-key, whose
            stored form says it.
    """

    organization_id: str
    subject: str
    capabilities: frozenset[Capability]
    kind: ActorKind = ActorKind.KEY
    is_super_admin: bool = False
    # Another token of the same person makes nobody else of them.
    signed_by: str = field(default="", compare=False)
    expires_at: int | None = field(default=None, compare=False)

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

    def require_super_admin(self) -> None:
        """Refuses a caller who is no super admin.

        Raises:
            WagateError: FORBIDDEN.
        """
        if not self.is_super_admin:
            raise WagateError(
                Code.FORBIDDEN,
                "this operation is for the platform's super admins alone",
                {"required": "super_admin"},
            )
