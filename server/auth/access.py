"""Everything that a node needs to know who calls and to remember what they did."""

import logging
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from server.auth.audit import AuditLog
from server.auth.authenticator import Authenticator
from server.auth.jwks import SigningKeys
from server.auth.keys import ApiKeys
from server.auth.last_use import LastUses
from server.auth.login import ClaimRules, LoginTokens
from server.auth.organizations import Organizations
from server.auth.tickets import Tickets
from server.auth.user_tokens import UserTokens, WutsAuthenticator
from server.config import Settings
from server.errors import Code, WagateError
from server.store.api_keys import ApiKeyRepository
from server.store.audit import AuditRepository
from server.store.database import Database
from server.store.tickets import TicketRepository
from server.store.user_tokens import UserTokenRepository

log = logging.getLogger(__name__)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in, and what is remembered of it.

    Attributes:
        authenticator: for the gateway's own API.
        wuts: for the WUTS API.
        audit: where changes are kept.
        tickets: stand for a token once.
    """

    authenticator: Authenticator
    wuts: WutsAuthenticator
    audit: AuditLog
    tickets: Tickets
    logins: LoginTokens | None
    uses: tuple[LastUses, ...]

    def open(self) -> None:
        """Begins what goes on in the background."""
        self.audit.open()
        if self.logins is not None:
            self.logins.open()

    async def close(self) -> None:
        """Ends it, and writes what waits to be written. No call may come after it."""
        if self.logins is not None:
            await self.logins.close()
        for uses in self.uses:
            await uses.close()
        await self.audit.close()


def access_of(settings: Settings, database: Database) -> Access:
    """The access that settings describe.

    Raises:
        WagateError: VALIDATION_ERROR where the settings of login tokens do not fit together.
    """
    keys, tokens = ApiKeyRepository(database), UserTokenRepository(database)
    logins = _logins(settings, Organizations(keys))
    key_uses, token_uses = LastUses(keys.touch), LastUses(tokens.touch)
    authenticator = Authenticator(ApiKeys(keys), uses=key_uses, logins=logins)
    return Access(
        authenticator=authenticator,
        wuts=WutsAuthenticator(UserTokens(tokens), token_uses),
        audit=AuditLog(AuditRepository(database), settings.audit_days),
        tickets=Tickets(TicketRepository(database), authenticator.confirm),
        logins=logins,
        uses=(key_uses, token_uses),
    )


def check_login_settings(settings: Settings) -> None:
    """Refuses settings of login tokens that do not fit together.

    Raises:
        WagateError: VALIDATION_ERROR.
    """
    if not settings.jwks_url:
        return
    url = urlsplit(settings.jwks_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise WagateError(
            Code.VALIDATION_ERROR, "WAGATE_JWKS_URL must be the http(s) address of the frontend's key set"
        )
    if not settings.jwt_issuer or not settings.jwt_audience:
        raise WagateError(
            Code.VALIDATION_ERROR,
            "WAGATE_JWKS_URL is set, so WAGATE_JWT_ISSUER and WAGATE_JWT_AUDIENCE must be too: without "
            "them the gateway would accept tokens that the frontend made for somebody else",
        )


def _logins(settings: Settings, organizations: Organizations) -> LoginTokens | None:
    check_login_settings(settings)
    if not settings.jwks_url:
        return None
    url = urlsplit(settings.jwks_url)
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        log.warning("WAGATE_JWKS_URL is http: whoever is on the way to it can let anybody in")
    rules = ClaimRules(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        organization_claim=settings.jwt_organization_claim,
        role_claim=settings.jwt_role_claim,
        leeway=settings.jwt_leeway,
    )
    return LoginTokens(SigningKeys(settings.jwks_url), organizations, rules)
