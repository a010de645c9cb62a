"""Login tokens: JWTs that the frontend signs, with a person's organization and role inside."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from jwt import exceptions

from server.auth.bearer import refused
from server.auth.jwks import SigningKeys
from server.auth.organizations import Organizations, is_organization_name
from server.auth.principal import ActorKind, Principal
from server.auth.roles import SUPER_ADMIN, capabilities_of, roles_of
from server.clock import now_ms
from server.errors import Code, WagateError

TOKEN_LENGTH: Final = 8192
"""Characters in a token, at most: bounds the work that a stranger can cause."""
SUBJECT_LENGTH: Final = 255
"""Characters in a subject, at most (OpenID Connect Core, ID Token)."""
_HEADERS: Final = ("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip")
"""Header fields that bring or point to a key, or change what is signed. None is ever followed; a token
that carries one wants us to, and is refused."""
_TYPES: Final = frozenset({"jwt", "at+jwt"})
"""What `typ` may say (RFC 9068): a token made for something else, such as a logout, is none for us."""
_LATEST: Final = 1 << 40
"""Seconds since 1970 that a time may lie away, in the year 36812."""
_KEY_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a login token must say, and where.

    Attributes:
        issuer: what `iss` must be.
        audience: what `aud` must be, or hold where it is a list.
        organization_claim, role_claim: a claim's name, or the names of nested ones joined by dots.
        leeway: seconds by which the clocks of frontend and gateway may differ.
    """

    issuer: str
    audience: str
    organization_claim: str
    role_claim: str
    leeway: float


class LoginTokens:
    """Verifies login tokens."""

    def __init__(self, keys: SigningKeys, organizations: Organizations, rules: ClaimRules) -> None:
        """Accepts what `keys` have signed, under `rules`."""
        self._keys = keys
        self._organizations = organizations
        self._rules = rules

    def open(self) -> None:
        """Begins to keep the keys fresh."""
        self._keys.open()

    async def close(self) -> None:
        """Stops that."""
        await self._keys.close()

    async def verify(self, token: str) -> tuple[Principal, float]:
        """Returns the caller, and for how many seconds the token is good.

        Raises:
            WagateError: UNAUTHORIZED for a token that is not good; FORBIDDEN for one that gives a role
                in no organization; UNAVAILABLE where it cannot be checked now.
        """
        if len(token) > TOKEN_LENGTH:
            raise refused(f"the login token is longer than {TOKEN_LENGTH} characters")
        key_id = _key_id(token)
        claims = await self._claims(token, key_id)
        roles = roles_of(_claim(claims, self._rules.role_claim))
        capabilities = capabilities_of(roles)
        name = _claim(claims, self._rules.organization_claim)
        organization_id: str | None = ""
        if isinstance(name, str) and is_organization_name(name):
            # Made for somebody who may do something there, and for nobody else.
            organizations = self._organizations
            organization_id = await (organizations.of(name) if capabilities else organizations.known(name))
        elif capabilities:
            raise WagateError(
                Code.FORBIDDEN,
                f"the login token names no organization in its claim '{self._rules.organization_claim}'",
            )
        # Whole seconds, as the library takes them: never trusted for longer than it would verify.
        expires_at = int(claims["exp"]) + self._rules.leeway
        principal = Principal(
            organization_id=organization_id or "",
            subject=claims["sub"],
            capabilities=capabilities,
            kind=ActorKind.JWT,
            is_super_admin=SUPER_ADMIN in roles,
            signed_by=key_id,
            expires_at=int(expires_at * 1000),
        )
        return principal, expires_at - time.time()

    async def confirm(self, principal: Principal) -> None:
        """Looks whether the token of a principal is still good, without having the token.

        Raises:
            WagateError: UNAUTHORIZED where it has expired or the frontend has withdrawn its key; UNAVAILABLE
                where it cannot be checked now.
        """
        if principal.expires_at is None or principal.expires_at <= now_ms():
            raise refused("the login token has expired: sign in again")
        await self._keys.find(principal.signed_by)

    async def _claims(self, token: str, key_id: str) -> Mapping[str, Any]:
        key = await self._keys.find(key_id)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=self._rules.leeway,
                options={"require": ["exp", "sub", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise refused(_reason(error)) from None
        for name in ("exp", "nbf", "iat"):
            # The library also takes text that reads as a number, which the standard does not.
            value = claims.get(name, 0)
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LATEST:
                raise refused(f"the login token's claim '{name}' is no number of seconds since 1970")
        subject = claims["sub"]
        if not 0 < len(subject) <= SUBJECT_LENGTH or not subject.isprintable():
            raise refused(f"the login token's claim 'sub' is not 1 to {SUBJECT_LENGTH} printable characters")
        return claims


def _key_id(token: str) -> str:
    """The id of the key that a token claims to be signed by; nothing of it is verified yet."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise refused("the token is neither an api-key (wa_...) nor a well-formed login token") from None
    for name in _HEADERS:
        if name in header:
            raise refused(f"a login token must not have the header '{name}'")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise refused("the token is a JWT, but made for something else than logging in: its 'typ' says so")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise refused("the login token does not say which key signed it (header 'kid')")
    return key_id


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, which may hold dots itself, or else by a path through nested ones."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


_REASONS: Final[Sequence[tuple[type[jwt.PyJWTError], str]]] = (
    (exceptions.ExpiredSignatureError, "has expired: sign in again"),
    (exceptions.ImmatureSignatureError, "is not good yet: compare the clocks of frontend and gateway"),
    (exceptions.InvalidIssuerError, "comes from another issuer (claim 'iss')"),
    (exceptions.InvalidAudienceError, "is meant for another audience (claim 'aud')"),
    (exceptions.InvalidAlgorithmError, "names an algorithm that its key is not for"),
    (exceptions.InvalidSignatureError, "has a wrong signature"),
    (exceptions.InvalidKeyError, "is signed by a key that is too weak or of another kind"),
)


def _reason(error: jwt.PyJWTError) -> str:
    if isinstance(error, exceptions.MissingRequiredClaimError):
        return f"the login token lacks the claim '{error.claim}'"
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return f"the login token {words}"
    return "the login token is malformed"
