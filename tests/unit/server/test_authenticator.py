"""Who calls: tokens, keys and how long they are trusted."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys, hash_of
from server.auth.principal import Capability, Principal
from server.auth.trust import TRUST_SECONDS, Trust
from server.errors import Code, WagateError
from server.store.records import ApiKey, AuditLine, Organization

ALL = frozenset(Capability)


class KeysInMemory:
    """A `server.auth.keys.KeyStore` that counts its look-ups."""

    def __init__(self) -> None:
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, ApiKey] = {}
        self.changes: list[AuditLine] = []
        self.finds = 0

    async def organization(self, organization: Organization) -> Organization:
        return self.organizations.setdefault(organization.name, organization)

    async def add(self, key: ApiKey, secret_hash: str, change: AuditLine) -> None:
        self.keys[secret_hash] = key
        self.changes.append(change)

    async def find(self, secret_hash: str) -> ApiKey | None:
        self.finds += 1
        return self.keys.get(secret_hash)

    async def get(self, key_id: str) -> ApiKey | None:
        self.finds += 1
        return next((key for key in self.keys.values() if key.id == key_id), None)

    async def list(self) -> list[ApiKey]:
        return list(self.keys.values())

    async def revoke(self, key_id: str, change: AuditLine) -> bool:
        for digest, key in self.keys.items():
            if key.id == key_id and key.revoked_at is None:
                self.keys[digest] = replace(key, revoked_at=change.at)
                self.changes.append(change)
                return True
        return False


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def keys(store: KeysInMemory) -> ApiKeys:
    return ApiKeys(store)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(keys: ApiKeys, clock: Clock) -> Authenticator:
    return Authenticator(keys, clock)


async def make(
    keys: ApiKeys, permissions: Iterable[Capability] = ALL, organization: str = "acme"
) -> tuple[ApiKey, str]:
    return await keys.create(organization=organization, permissions=permissions, label="test")


async def refused(authenticator: Authenticator, metadata: dict[str, str]) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await authenticator.authenticate(metadata)
    assert caught.value.code is Code.UNAUTHORIZED
    return caught.value


async def test_a_secret_is_shown_once_and_stored_as_a_hash(keys: ApiKeys, store: KeysInMemory) -> None:
    key, secret = await make(keys)
    assert secret.startswith("wa_")
    assert len(secret) >= 40
    assert store.keys == {hash_of(secret): key}
    assert secret not in repr(store.keys)
    assert (await make(keys))[1] != secret


async def test_keys_of_one_name_belong_to_one_organization(keys: ApiKeys) -> None:
    first, _ = await make(keys)
    second, _ = await make(keys)
    other, _ = await make(keys, organization="other")
    assert first.organization_id == second.organization_id != other.organization_id


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {} "])
async def test_a_bearer_token_tells_who_calls(authenticator: Authenticator, keys: ApiKeys, form: str) -> None:
    key, secret = await make(keys, [Capability.READ])
    principal = await authenticator.authenticate({"authorization": form.format(secret)})
    assert principal == Principal(key.organization_id, key.id, frozenset({Capability.READ}))


async def test_an_api_key_may_come_in_its_own_header(authenticator: Authenticator, keys: ApiKeys) -> None:
    key, secret = await make(keys)
    assert (await authenticator.authenticate({"x-api-key": secret})).subject == key.id


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"x-api-key": ""},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic d2E6d2E="},
        {"authorization": "wa_secret"},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        {"authorization": "Bearer wa_unknown"},
        {"x-api-key": "wa_unknown"},
        {"x-api-key": "WA_unknown"},
    ],
)
async def test_without_a_token_in_force_nobody_enters(
    authenticator: Authenticator, metadata: dict[str, str]
) -> None:
    error = await refused(authenticator, metadata)
    assert "unknown" not in error.message or "api-key" in error.message


async def test_a_wrong_bearer_token_is_not_healed_by_a_good_api_key(
    authenticator: Authenticator, keys: ApiKeys
) -> None:
    _, secret = await make(keys)
    await refused(authenticator, {"authorization": "Bearer wa_wrong", "x-api-key": secret})


async def test_a_refusal_does_not_repeat_the_token(authenticator: Authenticator) -> None:
    error = await refused(authenticator, {"x-api-key": "wa_nearly-the-right-one"})
    assert "nearly" not in error.message + repr(error.details)


async def test_a_revoked_key_is_refused_within_the_promised_time(
    authenticator: Authenticator, keys: ApiKeys, clock: Clock
) -> None:
    # given a key that was just used
    key, secret = await make(keys)
    await authenticator.authenticate({"x-api-key": secret})
    # when it is revoked and the promised time is over
    await keys.revoke(key.id)
    clock.now += TRUST_SECONDS
    # then it is refused, and stays so
    await refused(authenticator, {"x-api-key": secret})
    await refused(authenticator, {"x-api-key": secret})


async def test_using_a_key_does_not_prolong_the_trust_in_it(
    authenticator: Authenticator, keys: ApiKeys, clock: Clock
) -> None:
    key, secret = await make(keys)
    await authenticator.authenticate({"x-api-key": secret})
    await keys.revoke(key.id)
    for _ in range(9):
        clock.now += TRUST_SECONDS / 10
        await authenticator.authenticate({"x-api-key": secret})
    clock.now += TRUST_SECONDS / 10
    await refused(authenticator, {"x-api-key": secret})


async def test_a_key_in_use_costs_one_look_up_per_period(
    authenticator: Authenticator, keys: ApiKeys, store: KeysInMemory, clock: Clock
) -> None:
    _, secret = await make(keys)
    for _ in range(100):
        await authenticator.authenticate({"x-api-key": secret})
    assert store.finds == 1
    clock.now += TRUST_SECONDS
    await authenticator.authenticate({"x-api-key": secret})
    assert store.finds == 2


async def test_wrong_keys_take_no_memory(authenticator: Authenticator, store: KeysInMemory) -> None:
    for n in range(50):
        await refused(authenticator, {"x-api-key": f"wa_{n}"})
    assert authenticator.remembered == 0
    assert store.finds == 50


def test_the_memory_is_bounded_and_drops_what_was_verified_longest_ago(clock: Clock) -> None:
    trust = Trust[str](clock, size=3)
    for name in "abcd":
        trust.remember(name, name, clock.now)
    assert [trust.holder(name) for name in "abcd"] == [None, "b", "c", "d"]
    trust.remember("b", "b", clock.now)
    trust.remember("e", "e", clock.now)
    assert [trust.holder(name) for name in "bcde"] == ["b", None, "d", "e"]
    assert len(trust) == 3


def test_what_ends_sooner_is_trusted_until_then(clock: Clock) -> None:
    trust = Trust[str](clock)
    trust.remember("a", "a", clock.now, 0.25)
    trust.remember("b", "b", clock.now, 99.0)
    trust.remember("c", "c", clock.now, -5.0)
    assert [trust.holder(name) for name in "abc"] == ["a", "b", None]
    clock.now += 0.25
    assert [trust.holder(name) for name in "ab"] == [None, "b"]
    clock.now += TRUST_SECONDS
    assert trust.holder("b") is None


async def test_revoking_what_is_not_in_force_is_not_found(keys: ApiKeys) -> None:
    key, secret = await make(keys)
    await keys.revoke(key.id)
    assert await keys.find(secret) is None
    for key_id in (key.id, "nobody"):
        with pytest.raises(WagateError) as caught:
            await keys.revoke(key_id)
        assert caught.value.code is Code.NOT_FOUND


async def test_a_capability_is_held_or_refused_by_name() -> None:
    principal = Principal("org", "key", frozenset({Capability.READ}))
    principal.require(Capability.READ)
    with pytest.raises(WagateError) as caught:
        principal.require(Capability.SEND)
    assert caught.value.code is Code.FORBIDDEN
    assert caught.value.details == {"required": "send"}
