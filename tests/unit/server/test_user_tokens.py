"""The tokens of the WUTS API."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

import pytest

from server.auth.last_use import LastUses
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.trust import TRUST_SECONDS
from server.auth.user_tokens import UserTokens, WutsAuthenticator, WutsPrincipal
from server.errors import Code, WagateError
from server.store.records import AuditLine, UserToken
from tests.support.records import a_session
from tests.unit.server.test_authenticator import Clock

SESSION = a_session("org", "s1")


class TokensInMemory:
    """A `server.auth.user_tokens.TokenStore` that counts its look-ups."""

    def __init__(self) -> None:
        self.tokens: dict[str, UserToken] = {}
        self.changes: list[AuditLine] = []
        self.finds = 0
        self.used: dict[str, int] = {}

    async def add(self, token: UserToken, secret_hash: str, change: AuditLine) -> None:
        self.tokens[secret_hash] = token
        self.changes.append(change)

    async def find(self, secret_hash: str) -> UserToken | None:
        self.finds += 1
        return self.tokens.get(secret_hash)

    async def list(self) -> list[UserToken]:
        return list(self.tokens.values())

    async def revoke(self, token_id: str, change: AuditLine) -> bool:
        for digest, token in self.tokens.items():
            if token.id == token_id and token.revoked_at is None:
                self.tokens[digest] = replace(token, revoked_at=change.at)
                self.changes.append(change)
                return True
        return False

    async def touch(self, uses: Mapping[str, int]) -> None:
        self.used.update(uses)


@pytest.fixture
def store() -> TokensInMemory:
    return TokensInMemory()


@pytest.fixture
def tokens(store: TokensInMemory) -> UserTokens:
    return UserTokens(store)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def uses(store: TokensInMemory) -> LastUses:
    return LastUses(store.touch, gather=0.0)


@pytest.fixture
def authenticator(tokens: UserTokens, uses: LastUses, clock: Clock) -> WutsAuthenticator:
    return WutsAuthenticator(tokens, uses, clock)


async def refused(authenticator: WutsAuthenticator, token: str) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await authenticator.authenticate(token)
    assert caught.value.code is Code.UNAUTHORIZED
    return caught.value


async def test_a_token_is_a_random_uuid_and_stands_for_user_and_session(
    tokens: UserTokens, authenticator: WutsAuthenticator, store: TokensInMemory, uses: LastUses
) -> None:
    token, secret = await tokens.create(SESSION, "ada@acme.test")
    assert uuid.UUID(secret).version == 4
    assert secret not in repr(store.tokens) + repr(store.changes)
    principal = WutsPrincipal("org", "ada@acme.test", "s1")
    assert await authenticator.authenticate(secret) == principal
    assert await authenticator.authenticate(secret.upper()) == principal
    assert store.finds == 1
    await uses.close()
    assert set(store.used) == {token.id}


def test_a_user_may_send_and_is_audited_as_one() -> None:
    principal = WutsPrincipal("org", "ada", "s1").as_principal()
    assert principal == Principal("org", "ada", frozenset({Capability.SEND}), ActorKind.TOKEN)


async def test_making_and_revoking_is_audited(tokens: UserTokens, store: TokensInMemory) -> None:
    token, _ = await tokens.create(SESSION, "ada")
    await tokens.revoke(token.id)
    assert [(c.operation, c.target, c.actor_kind) for c in store.changes] == [
        ("createToken", f"s1/{token.id}", "cli"),
        ("revokeToken", token.id, "cli"),
    ]
    assert store.changes[0].organization_id == "org"


async def test_a_revoked_token_is_refused_within_the_promised_time(
    tokens: UserTokens, authenticator: WutsAuthenticator, clock: Clock, uses: LastUses
) -> None:
    token, secret = await tokens.create(SESSION, "ada")
    await authenticator.authenticate(secret)
    await tokens.revoke(token.id)
    clock.now += TRUST_SECONDS
    await refused(authenticator, secret)
    for token_id in (token.id, "nobody"):
        with pytest.raises(WagateError) as caught:
            await tokens.revoke(token_id)
        assert caught.value.code is Code.NOT_FOUND
    await uses.close()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "wa_secret",
        str(uuid.UUID(int=0)),
        "123e4567-e89b-12d3-a456-426614174000",  # version 1
        "123e4567-e89b-42d3-c456-426614174000",  # another variant
        "123e4567e89b42d3a456426614174000",
        "{123e4567-e89b-42d3-a456-426614174000}",
        "123e4567-e89b-42d3-a456-426614174000\n",
        "' OR 1=1 --",
    ],
)
async def test_what_is_no_uuid_of_version_4_is_not_looked_up(
    authenticator: WutsAuthenticator, store: TokensInMemory, token: str
) -> None:
    await refused(authenticator, token)
    assert store.finds == 0


async def test_an_unknown_token_is_refused(authenticator: WutsAuthenticator, store: TokensInMemory) -> None:
    secret = str(uuid.uuid4())
    assert secret not in (await refused(authenticator, secret)).message
    assert store.finds == 1


@pytest.mark.parametrize("user", ["", "x" * 129, "a\nb", "a\0"])
async def test_a_user_has_a_printable_name(tokens: UserTokens, user: str) -> None:
    with pytest.raises(WagateError) as caught:
        await tokens.create(SESSION, user)
    assert caught.value.code is Code.VALIDATION_ERROR
