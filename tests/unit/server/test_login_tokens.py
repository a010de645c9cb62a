"""Login tokens: who is let in, as whom, and what a token must say."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from server.auth.login import LoginTokens
from server.auth.principal import ActorKind, Capability, Principal
from server.errors import Code, WagateError
from tests.support.frontend import AUDIENCE, ISSUER, Frontend, mint
from tests.unit.server.login_desk import LEEWAY, OrganizationsInMemory, refused, tokens_of

ALL = frozenset(Capability)
READ_AND_SEND = frozenset({Capability.READ, Capability.SEND})
NONE: frozenset[Capability] = frozenset()


@dataclass(frozen=True)
class In:
    """A time so many seconds from when the test runs, which may be long after it was collected."""

    seconds: float
    as_text: bool = False


def settled(changes: Mapping[str, object]) -> dict[str, object]:
    """The changes with their times filled in."""
    found = dict(changes)
    for name, value in changes.items():
        if isinstance(value, In):
            when = int(time.time() + value.seconds)
            found[name] = str(when) if value.as_text else when
    return found


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")])
async def test_a_token_tells_who_calls(logins: LoginTokens, name: str, algorithm: str) -> None:
    principal, seconds = await logins.verify(mint(name, algorithm, role="member"))
    assert principal == Principal("acme", "user_1", READ_AND_SEND, ActorKind.JWT)
    assert 60 < seconds <= 60 + LEEWAY


@pytest.mark.parametrize(
    ("role", "capabilities", "is_super_admin"),
    [
        ("owner", ALL, False),
        ("admin", ALL, False),
        ("member", READ_AND_SEND, False),
        (["member", "admin"], ALL, False),
        ("super_admin", NONE, True),
        (["super_admin", "member"], READ_AND_SEND, True),
        ("Owner", NONE, False),
        ("owner ", NONE, False),
        ("member,owner", NONE, False),
        ("guest", NONE, False),
        ("", NONE, False),
        (None, NONE, False),
        (True, NONE, False),
        ({"owner": True}, NONE, False),
        ([["owner"], 1, None], NONE, False),
    ],
)
async def test_a_role_allows_what_the_contract_says(
    logins: LoginTokens, role: object, capabilities: frozenset[Capability], is_super_admin: bool
) -> None:
    principal, _ = await logins.verify(mint(role=role))
    assert (principal.capabilities, principal.is_super_admin) == (capabilities, is_super_admin)


async def test_a_super_admin_alone_may_use_the_admin_operations(logins: LoginTokens) -> None:
    boss, _ = await logins.verify(mint(role="super_admin", org_id=None))
    boss.require_super_admin()
    assert boss.organization_id == ""
    owner, _ = await logins.verify(mint())
    with pytest.raises(WagateError) as caught:
        owner.require_super_admin()
    assert caught.value.code is Code.FORBIDDEN


async def test_an_organization_seen_first_is_made_with_its_name_as_its_id(
    logins: LoginTokens, organizations: OrganizationsInMemory
) -> None:
    principal, _ = await logins.verify(mint(org_id="org_2a"))
    assert principal.organization_id == organizations.kept["org_2a"].id == "org_2a"


async def test_an_organization_that_exists_is_found_by_its_name(logins: LoginTokens) -> None:
    principal, _ = await logins.verify(mint(org_id="shop"))
    assert principal.organization_id == "01OLD"


@pytest.mark.parametrize("role", ["guest", "super_admin"])
async def test_nothing_is_made_for_who_may_do_nothing_there(
    logins: LoginTokens, organizations: OrganizationsInMemory, role: str
) -> None:
    known, _ = await logins.verify(mint(role=role, org_id="shop"))
    unknown, _ = await logins.verify(mint(role=role, org_id="new"))
    assert (known.organization_id, unknown.organization_id) == ("01OLD", "")
    assert set(organizations.kept) == {"shop"}


@pytest.mark.parametrize("name", [None, "", " acme", "acme ", "a\0b", "a\nb", "x" * 129, 7, ["acme"]])
async def test_a_role_in_no_organization_is_refused(
    logins: LoginTokens, organizations: OrganizationsInMemory, name: object
) -> None:
    error = await refused(logins, mint(org_id=name), Code.FORBIDDEN)
    assert "org_id" in error.message
    assert set(organizations.kept) == {"shop"}


@pytest.mark.parametrize(
    ("organization", "role", "extra"),
    [
        ("o.id", "o.rol", {"o": {"id": "nested", "rol": "owner"}}),
        ("x.test/org", "x.test/role", {"x.test/org": "nested", "x.test/role": "owner"}),
        ("a.b.c", "role", {"a": {"b": {"c": "nested"}}}),
    ],
)
async def test_claims_may_have_other_names_and_stand_deeper(
    front: Frontend,
    organizations: OrganizationsInMemory,
    organization: str,
    role: str,
    extra: dict[str, object],
) -> None:
    tokens = tokens_of(front, organizations, organization, role)
    principal, _ = await tokens.verify(mint(**{"org_id": "wrong", **extra}))
    assert (principal.organization_id, principal.capabilities) == ("nested", ALL)
    await tokens.close()


async def test_a_path_that_leads_nowhere_is_no_claim(
    front: Frontend, organizations: OrganizationsInMemory
) -> None:
    tokens = tokens_of(front, organizations, organization="org_id.deeper.still")
    await refused(tokens, mint(), Code.FORBIDDEN)
    await tokens.close()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": None}, "'exp'"),
        ({"exp": In(-LEEWAY - 5)}, "expired"),
        ({"exp": In(60, as_text=True)}, "'exp'"),
        ({"exp": True}, "expired"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": 10**400}, "'exp'"),
        ({"nbf": -(10**400)}, "'nbf'"),
        ({"iss": ["x"]}, "'iss'"),
        ({"exp": [4102444800]}, "malformed"),
        ({"nbf": In(LEEWAY + 300)}, "clocks"),
        ({"nbf": In(-5, as_text=True)}, "'nbf'"),
        ({"iat": In(LEEWAY + 300)}, "clocks"),
        ({"iat": "x"}, "malformed"),
        ({"iss": None}, "'iss'"),
        ({"iss": ISSUER + "/"}, "'iss'"),
        ({"aud": None}, "'aud'"),
        ({"aud": "someone-else"}, "'aud'"),
        ({"aud": ["a", "b"]}, "'aud'"),
        ({"aud": {"wagate": 1}}, "'aud'"),
        ({"aud": []}, "'aud'"),
        ({"sub": None}, "'sub'"),
        ({"sub": ""}, "'sub'"),
        ({"sub": 7}, "malformed"),
        ({"sub": "a\nb"}, "'sub'"),
        ({"sub": "a\0"}, "'sub'"),
        ({"sub": "x" * 256}, "'sub'"),
    ],
)
async def test_claims_that_do_not_hold_are_refused_with_the_reason(
    logins: LoginTokens, changes: dict[str, object], words: str
) -> None:
    error = await refused(logins, mint(**settled(changes)))
    assert words in error.message


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": In(-LEEWAY / 2)},
        {"nbf": In(LEEWAY / 2)},
        {"iat": In(LEEWAY / 2)},
        {"exp": 4102444800.5},
        {"aud": ["other", AUDIENCE]},
    ],
)
async def test_clocks_may_differ_by_the_leeway(logins: LoginTokens, changes: dict[str, object]) -> None:
    assert (await logins.verify(mint(**settled(changes))))[0].subject == "user_1"
