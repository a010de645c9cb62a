"""Settings of access: what fits together, and what a node then has."""

from pathlib import Path

import pytest

from server.auth.access import access_of
from server.auth.principal import Capability
from server.config import Settings
from server.errors import Code, WagateError
from server.store import schema
from server.store.audit import AuditRepository
from server.store.database import open_database
from server.store.records import AuditLine
from tests.support.frontend import AUDIENCE, ISSUER, Frontend, mint
from tests.unit.server.test_authenticator import refused

GOOD = {"jwks_url": "https://x.test/jwks", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"jwt_issuer": ""}, "WAGATE_JWT_ISSUER"),
        ({"jwt_audience": ""}, "WAGATE_JWT_AUDIENCE"),
        ({"jwks_url": "file:///etc/passwd"}, "WAGATE_JWKS_URL"),
        ({"jwks_url": "x.test/jwks"}, "WAGATE_JWKS_URL"),
        ({"jwks_url": "https:///jwks"}, "WAGATE_JWKS_URL"),
    ],
)
async def test_settings_that_would_let_the_wrong_in_are_refused(
    tmp_path: Path, change: dict[str, str], words: str
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(WagateError, match=words) as caught:
        access_of(Settings(**{**GOOD, **change}), database)  # type: ignore[arg-type] # all of them are text
    assert caught.value.code is Code.VALIDATION_ERROR
    await database.close()


async def test_a_key_set_by_plain_http_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    for url, warned in (("https://x.test/j", 0), ("http://127.0.0.1:1/j", 0), ("http://x.test/j", 1)):
        await access_of(Settings(**{**GOOD, "jwks_url": url}), database).close()  # type: ignore[arg-type] # as above
        assert caplog.text.count("WAGATE_JWKS_URL is http") == warned
    await database.close()


async def test_what_a_node_has(tmp_path: Path, front: Frontend) -> None:
    # given a node's access over a real database
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    await schema.upgrade(database)
    settings = Settings(
        jwks_url=front.url,
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        jwt_organization_claim="o.id",
        jwt_role_claim="o.rol",
    )
    access = access_of(settings, database)
    access.open()
    # then the settings' claims count, and another token opens nothing
    token = mint(o={"id": "org_7", "rol": "admin"})
    principal = await access.authenticator.authenticate({"authorization": f"Bearer {token}"})
    assert (principal.organization_id, principal.capabilities) == ("org_7", frozenset(Capability))
    await refused(access.authenticator, {"authorization": f"Bearer {mint(aud='other')}"})
    # and what waits to be written is written at the end
    access.audit.note(AuditLine(1, "org_7", "user_1", "jwt", "createSession", "", "ok", ""))
    await access.close()
    lines = await AuditRepository(database).page(after=0, since=0, organization_id="org_7", limit=10)
    assert len(lines) == 1
    await database.close()


async def test_without_a_key_set_there_are_no_login_tokens(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    access = access_of(Settings(), database)
    await refused(access.authenticator, {"authorization": f"Bearer {mint()}"})
    await access.close()
    await database.close()
