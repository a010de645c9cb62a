"""What the roles in a login token allow."""

from collections.abc import Mapping
from typing import Final

from server.auth.principal import Capability

SUPER_ADMIN: Final = "super_admin"
"""The platform's role: it opens the admin operations, and nothing of an organization."""

ROLES: Final[Mapping[str, frozenset[Capability]]] = {
    "owner": frozenset(Capability),
    "admin": frozenset(Capability),
    "member": frozenset({Capability.READ, Capability.SEND}),
}
"""The roles in an organization (REST API, Conventions)."""


def roles_of(claim: object) -> frozenset[str]:
    """The roles that a claim names: it is one word or a list of them; of anything else, none."""
    if isinstance(claim, str):
        return frozenset({claim})
    if isinstance(claim, list):
        return frozenset(word for word in claim if isinstance(word, str))
    return frozenset()


def capabilities_of(roles: frozenset[str]) -> frozenset[Capability]:
    """What roles allow together. A word that is no role allows nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
