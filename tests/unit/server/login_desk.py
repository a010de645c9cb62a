"""What the tests of login tokens share: a desk that verifies them."""

import pytest

from server.auth.jwks import SigningKeys
from server.auth.login import ClaimRules, LoginTokens
from server.auth.organizations import Organizations
from server.errors import Code, WagateError
from server.store.records import Organization
from tests.support.frontend import AUDIENCE, ISSUER, Frontend

LEEWAY = 10
"""Seconds by which the clocks may differ here."""


class OrganizationsInMemory:
    """A `server.auth.organizations.OrganizationStore` with one organization that is older than its name."""

    def __init__(self) -> None:
        self.kept: dict[str, Organization] = {"shop": Organization("01OLD", "shop", 1)}

    async def organization(self, organization: Organization) -> Organization:
        return self.kept.setdefault(organization.name, organization)

    async def find_organization(self, name: str) -> Organization | None:
        return self.kept.get(name)


def tokens_of(
    front: Frontend, store: OrganizationsInMemory, organization: str = "org_id", role: str = "role"
) -> LoginTokens:
    """What verifies the tokens of a frontend."""
    rules = ClaimRules(ISSUER, AUDIENCE, organization, role, LEEWAY)
    return LoginTokens(SigningKeys(front.url), Organizations(store), rules)


async def refused(logins: LoginTokens, token: str, code: Code = Code.UNAUTHORIZED) -> WagateError:
    """How a token was refused."""
    with pytest.raises(WagateError) as caught:
        await logins.verify(token)
    assert caught.value.code is code
    return caught.value
