"""Whatever stands in the headers: a principal or a documented refusal, and nothing else."""

import asyncio
import base64
import json
import string
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys
from server.auth.login import LoginTokens
from server.errors import Code, WagateError
from tests.support.frontend import Frontend, claims, frontend, mint
from tests.unit.server.login_desk import OrganizationsInMemory, tokens_of
from tests.unit.server.test_authenticator import KeysInMemory

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jwk", "jku", "x5u", "crit", "b64", "cty", "enc", "zip", "x"]),
    st.sampled_from(["none", "HS256", "RS256", "ES256", "EdDSA", "ed", "ec", "rsa", "JWT"]) | _VALUES,
)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@st.composite
def forged(draw: st.DrawFn) -> str:
    """Something that looks like a token whose every part somebody else wrote."""
    signature = base64.urlsafe_b64encode(draw(st.binary(max_size=96))).rstrip(b"=").decode()
    return f"{part(draw(_HEADERS))}.{part(draw(st.just(claims()) | _VALUES))}.{signature}"


@pytest.fixture(scope="module")
def front_for_all() -> Iterator[Frontend]:
    with frontend() as serving:
        yield serving


async def outcome(front: Frontend, header: str) -> Code | None:
    logins = tokens_of(front, OrganizationsInMemory())
    try:
        await Authenticator(ApiKeys(KeysInMemory()), logins=logins).authenticate({"authorization": header})
    except WagateError as error:
        return error.code
    finally:
        await logins.close()
    return None


@settings(max_examples=150, deadline=None)
@given(token=forged() | st.text(max_size=60) | st.text(alphabet=string.printable + ".", max_size=200))
def test_what_nobody_signed_is_refused(front_for_all: Frontend, token: str) -> None:
    found = asyncio.run(outcome(front_for_all, f"Bearer {token}"))
    assert found is Code.UNAUTHORIZED


@settings(max_examples=100, deadline=None)
@given(extra=st.dictionaries(st.sampled_from(["org_id", "role", "sub", "aud", "iss", "exp", "nbf"]), _VALUES))
def test_what_the_frontend_signed_by_mistake_is_no_defect(
    front_for_all: Frontend, extra: dict[str, object]
) -> None:
    found = asyncio.run(outcome(front_for_all, f"Bearer {mint(**extra)}"))
    assert found in {None, Code.UNAUTHORIZED, Code.FORBIDDEN}


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")])
async def test_no_character_of_a_token_can_be_changed(logins: LoginTokens, name: str, algorithm: str) -> None:
    token = mint(name, algorithm)
    await logins.verify(token)
    for position, old in enumerate(token):
        for new in {"A", "B", ".", "="} - {old}:
            with pytest.raises(WagateError):
                await logins.verify(token[:position] + new + token[position + 1 :])
