"""Whether a caller's token is still in force, found out without the token."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from server.auth.authenticator import Authenticator
from server.auth.jwks import SigningKeys
from server.auth.keys import ApiKeys
from server.auth.login import ClaimRules, LoginTokens
from server.auth.organizations import Organizations
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.trust import TRUST_SECONDS
from server.clock import now_ms
from server.errors import Code, WagateError
from tests.support.frontend import AUDIENCE, ISSUER, Frontend, mint
from tests.unit.server.login_desk import LEEWAY, OrganizationsInMemory
from tests.unit.server.test_authenticator import Clock, KeysInMemory

ALL: Iterable[Capability] = tuple(Capability)


async def refused(authenticator: Authenticator, principal: Principal) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await authenticator.confirm(principal)
    assert caught.value.code is Code.UNAUTHORIZED
    return caught.value


async def test_a_key_is_looked_at_once_in_a_while_until_it_is_revoked() -> None:
    store, clock = KeysInMemory(), Clock()
    keys = ApiKeys(store)
    authenticator = Authenticator(keys, clock)
    key, secret = await keys.create(organization="acme", permissions=ALL, label="")
    principal = await authenticator.authenticate({"x-api-key": secret})
    for _ in range(50):
        await authenticator.confirm(principal)
    assert store.finds == 2
    await keys.revoke(key.id)
    clock.now += TRUST_SECONDS
    for _ in range(2):
        assert "revoked" in (await refused(authenticator, principal)).message


async def test_a_key_that_is_gone_is_refused() -> None:
    authenticator = Authenticator(ApiKeys(KeysInMemory()))
    await refused(authenticator, Principal("org", "nobody", frozenset(ALL)))


async def test_a_token_of_another_kind_is_refused() -> None:
    authenticator = Authenticator(ApiKeys(KeysInMemory()))
    for kind in (ActorKind.JWT, ActorKind.TOKEN, ActorKind.CLI):
        await refused(
            authenticator, Principal("org", "ada", frozenset(ALL), kind, expires_at=now_ms() + 1000)
        )


async def test_a_login_token_is_good_until_it_expires(logins: LoginTokens) -> None:
    authenticator = Authenticator(ApiKeys(KeysInMemory()), logins=logins)
    principal = await authenticator.authenticate({"authorization": f"Bearer {mint()}"})
    assert principal.expires_at is not None
    assert 60_000 - 1_000 < principal.expires_at - LEEWAY * 1000 - now_ms() <= 60_000
    await authenticator.confirm(principal)
    await refused(authenticator, replace(principal, expires_at=now_ms()))
    await refused(authenticator, replace(principal, expires_at=None))


async def test_a_login_token_whose_key_the_frontend_withdrew_is_refused(
    front: Frontend, organizations: OrganizationsInMemory
) -> None:
    clock = Clock()
    keys = SigningKeys(front.url, clock)
    rules = ClaimRules(ISSUER, AUDIENCE, "org_id", "role", LEEWAY)
    logins = LoginTokens(keys, Organizations(organizations), rules)
    authenticator = Authenticator(ApiKeys(KeysInMemory()), clock, logins=logins)
    principal = await authenticator.authenticate({"authorization": f"Bearer {mint('rsa', 'RS256')}"})
    front.withdraw("rsa")
    clock.now += 60
    await refused(authenticator, replace(principal, signed_by="never seen"))  # makes it look again
    await refused(authenticator, principal)
    await logins.close()
