"""A key or token that is revoked on one node is refused on all of them within a second."""

from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys
from server.auth.last_use import LastUses
from server.auth.principal import Capability
from server.auth.trust import TRUST_SECONDS
from server.auth.user_tokens import UserTokens, WutsAuthenticator
from server.errors import Code, WagateError
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database
from server.store.records import Session
from server.store.sessions import SessionRepository
from server.store.user_tokens import UserTokenRepository


class Clock:
    """Time that passes when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_revoked_key(database: Database) -> None:
    # given two nodes that have both just let a key in
    clock, keys = Clock(), ApiKeys(ApiKeyRepository(database))
    nodes = [Authenticator(ApiKeys(ApiKeyRepository(database)), clock) for _ in range(2)]
    key, secret = await keys.create(organization="acme", permissions=Capability, label="")
    for node in nodes:
        await node.authenticate({"x-api-key": secret})
    # when it is revoked
    await keys.revoke(key.id)
    clock.now += TRUST_SECONDS
    # then neither lets it in
    for node in nodes:
        assert await refusal(node.authenticate({"x-api-key": secret})) is Code.UNAUTHORIZED


async def test_a_revoked_token_and_one_whose_session_is_deleted(
    database: Database, session: Session, sessions: SessionRepository
) -> None:
    clock, tokens = Clock(), UserTokens(UserTokenRepository(database))
    uses = LastUses(UserTokenRepository(database).touch)
    nodes = [WutsAuthenticator(UserTokens(UserTokenRepository(database)), uses, clock) for _ in range(2)]
    (token, ada), (_, ben) = [await tokens.create(session, user) for user in ("ada", "ben")]
    for node in nodes:
        assert (await node.authenticate(ada)).user == "ada"
        assert (await node.authenticate(ben)).session_id == session.id
    await tokens.revoke(token.id)
    clock.now += TRUST_SECONDS
    for node in nodes:
        assert await refusal(node.authenticate(ada)) is Code.UNAUTHORIZED
        assert (await node.authenticate(ben)).user == "ben"
    await sessions.delete(session.id)
    clock.now += TRUST_SECONDS
    for node in nodes:
        assert await refusal(node.authenticate(ben)) is Code.UNAUTHORIZED
    await uses.close()


async def refusal(call: object) -> Code | None:
    try:
        await call  # type: ignore[misc] # an awaitable of either kind of principal
    except WagateError as error:
        return error.code
    return None
