"""Two kinds of token tried in turn, how long each is trusted, and that a key's use is noted."""

import time
import uuid
from collections.abc import Mapping

import pytest

from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys
from server.auth.last_use import LastUses
from server.auth.login import LoginTokens
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.trust import TRUST_SECONDS
from tests.support.frontend import Frontend, mint
from tests.unit.server.login_desk import LEEWAY
from tests.unit.server.test_authenticator import Clock, KeysInMemory, make, refused


class Calendar:
    """Wall-clock time that passes when the test says so."""

    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> ApiKeys:
    return ApiKeys(KeysInMemory())


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_an_api_key_and_a_login_token_are_told_apart(keys: ApiKeys, logins: LoginTokens) -> None:
    authenticator = Authenticator(keys, logins=logins)
    key, secret = await make(keys)
    by_key = await authenticator.authenticate(bearing(secret))
    assert (by_key.subject, by_key.kind, by_key.organization_id) == (key.id, ActorKind.KEY, "acme")
    by_login = await authenticator.authenticate(bearing(mint(role="member")))
    assert (by_login.subject, by_login.kind) == ("user_1", ActorKind.JWT)
    assert by_login.organization_id == "acme"


async def test_x_api_key_takes_no_login_token(keys: ApiKeys, logins: LoginTokens) -> None:
    await refused(Authenticator(keys, logins=logins), {"x-api-key": mint()})


async def test_without_a_key_set_no_login_token_is_good(keys: ApiKeys) -> None:
    error = await refused(Authenticator(keys), bearing(mint()))
    assert "accepts no login tokens" in error.message


@pytest.mark.parametrize("form", [str, lambda token: str(token).upper()])
async def test_a_users_token_of_the_other_api_opens_nothing(
    keys: ApiKeys, logins: LoginTokens, front: Frontend, form: type[str]
) -> None:
    error = await refused(Authenticator(keys, logins=logins), bearing(form(uuid.uuid4())))
    assert "WUTS" in error.message
    assert front.fetches == 0


async def test_a_login_token_is_verified_once_a_second(
    keys: ApiKeys, logins: LoginTokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = logins.verify

    async def counting(token: str) -> object:
        verified.append(token)
        return await verify(token)

    monkeypatch.setattr(logins, "verify", counting)
    authenticator = Authenticator(keys, clock, logins=logins)
    token = mint()
    for _ in range(100):
        await authenticator.authenticate(bearing(token))
    assert len(verified) == 1
    clock.now += TRUST_SECONDS
    await authenticator.authenticate(bearing(token))
    assert len(verified) == 2


async def test_a_login_token_is_trusted_no_longer_than_it_is_good(
    keys: ApiKeys, logins: LoginTokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a token that is good for a quarter of a second more
    principal, seconds = await logins.verify(mint(exp=time.time() - LEEWAY + 3))
    assert 0 < seconds <= 3
    verified: list[str] = []

    async def verify(token: str) -> tuple[Principal, float]:
        verified.append(token)
        return principal, 0.25

    monkeypatch.setattr(logins, "verify", verify)
    authenticator = Authenticator(keys, clock, logins=logins)
    for _ in range(3):
        await authenticator.authenticate(bearing("a.b.c"))
    assert len(verified) == 1
    # when that is over
    clock.now += 0.25
    # then it is looked at again, though a second is not over
    await authenticator.authenticate(bearing("a.b.c"))
    assert len(verified) == 2


async def test_wrong_login_tokens_take_no_memory(keys: ApiKeys, logins: LoginTokens) -> None:
    authenticator = Authenticator(keys, logins=logins)
    for n in range(50):
        await refused(authenticator, bearing(mint("ed", "EdDSA", {"kid": f"random-{n}"})))
        await refused(authenticator, bearing(f"text-{n}"))
    assert authenticator.remembered == 0


async def test_a_key_is_refused_from_its_end_on(clock: Clock) -> None:
    calendar = Calendar()
    keys = ApiKeys(KeysInMemory(), calendar)
    authenticator = Authenticator(keys, clock)
    _, secret = await keys.create(
        organization="acme", permissions=[Capability.READ], label="", expires_at=calendar.now + 10
    )
    await authenticator.authenticate(bearing(secret))
    calendar.now += 10
    clock.now += TRUST_SECONDS
    error = await refused(authenticator, bearing(secret))
    assert "expired" in error.message
    assert await keys.find(secret) is None


async def test_a_use_is_noted_with_the_look_up_and_not_with_the_call(keys: ApiKeys, clock: Clock) -> None:
    written: list[Mapping[str, int]] = []

    async def write(uses: Mapping[str, int]) -> None:
        written.append(uses)

    uses = LastUses(write, gather=3600)
    authenticator = Authenticator(keys, clock, uses=uses)
    key, secret = await make(keys)
    for _ in range(10):
        await authenticator.authenticate(bearing(secret))
        clock.now += TRUST_SECONDS / 2
    await refused(authenticator, bearing("wa_wrong"))
    assert written == []
    await uses.close()
    assert [set(one) for one in written] == [{key.id}]
