"""The command line over keys, users' tokens and the audit."""

import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.auth.keys import ApiKeys
from server.auth.user_tokens import UserTokens
from server.cli import app
from server.commands.exits import Exit
from server.commands.times import milliseconds, moment, shown
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.records import ApiKey
from server.store.sessions import SessionRepository
from server.store.user_tokens import UserTokenRepository
from tests.support.records import a_session

DAY = 24 * 3600 * 1000


@pytest.fixture
def wagate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `wagate` over a data directory of its own."""
    monkeypatch.setenv("WAGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "root-of-the-test")
    return lambda *words: CliRunner().invoke(app, list(words), catch_exceptions=False)


def looked_up(tmp_path: Path, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    """What the database says."""

    async def run() -> Any:
        database = open_database(f"sqlite:///{tmp_path / 'wagate.db'}")
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def key_of(tmp_path: Path, secret: str) -> ApiKey | None:
    found: ApiKey | None = looked_up(tmp_path, lambda d: ApiKeys(ApiKeyRepository(d)).find(secret))
    return found


def test_a_key_is_made_listed_and_revoked(wagate: Callable[..., Result], tmp_path: Path) -> None:
    made = wagate(
        "keys", "create", "--organization", "acme", "--permissions", "read, send", "--expires-in", "90d",
        "--label", "till 3",
    )  # fmt: skip
    secret = made.stdout.strip()
    key = key_of(tmp_path, secret)
    assert key is not None
    assert (key.organization_id, key.permissions, key.label) == ("acme", ["read", "send"], "till 3")
    assert key.expires_at is not None
    assert abs(key.expires_at - key.created_at - 90 * DAY) < 60_000

    head, listed = wagate("keys", "list").stdout.splitlines()
    assert head.split()[:3] == ["ID", "ORGANIZATION", "PERMISSIONS"]
    assert secret not in listed
    assert [key.id, "acme", "read,send", "in", "force", shown(key.expires_at), "never", "till", "3"] == (
        listed.split()
    )
    (document,) = json.loads(wagate("keys", "list", "--json").stdout)["data"]
    assert (document["id"], document["state"], document["label"]) == (key.id, "in force", "till 3")

    assert wagate("keys", "revoke", key.id).exit_code == 0
    assert key_of(tmp_path, secret) is None
    assert "revoked" in wagate("keys", "list").stdout
    again = wagate("keys", "revoke", key.id)
    assert (again.exit_code, key.id in again.stderr) == (Exit.NOT_FOUND, True)


def test_a_key_that_has_expired_shows_it(
    wagate: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = wagate("keys", "create", "--expires-in", "30m").stdout.strip()
    key = key_of(tmp_path, secret)
    assert key is not None
    looked_up(tmp_path, lambda d: ApiKeyRepository(d).touch({key.id: key.created_at}))
    monkeypatch.setattr("server.commands.keys.now_ms", lambda: key.created_at + DAY)
    listed = wagate("keys", "list").stdout
    assert "expired" in listed
    assert listed.count(shown(key.created_at)) == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--permissions", "read,fly"), "choose of read, send, manage"),
        (("--permissions", ""), "choose of read, send, manage"),
        (("--expires-in", "90"), "such as 90d"),
        (("--expires-in", "-1d"), "such as 90d"),
        (("--expires-in", "0d"), "such as 90d"),
        (("--organization", ""), "organization"),
        (("--organization", " acme"), "organization"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    wagate: Callable[..., Result], words: tuple[str, ...], hint: str
) -> None:
    answer = wagate("keys", "create", *words)
    assert answer.exit_code != 0
    # the box around a usage error breaks lines where it likes
    assert hint.replace(" ", "") in "".join(answer.stderr.split()).replace("│", "")
    assert answer.stdout == ""


def test_a_token_is_made_listed_and_revoked(wagate: Callable[..., Result], tmp_path: Path) -> None:
    wagate("keys", "create", "--organization", "acme")
    session = a_session("acme")
    looked_up(tmp_path, lambda d: SessionRepository(d).add(session))
    made = wagate("tokens", "create", "--session", session.id, "--user", "ada")
    secret = made.stdout.strip()
    assert uuid.UUID(secret).version == 4
    token = looked_up(tmp_path, lambda d: UserTokens(UserTokenRepository(d)).find(secret))
    assert (token.organization_id, token.session_id, token.user_name) == ("acme", session.id, "ada")
    _, listed = wagate("tokens", "list").stdout.splitlines()
    assert listed.split() == [token.id, "acme", session.id, "in", "force", "never", "ada"]
    assert wagate("tokens", "revoke", token.id).exit_code == 0
    assert wagate("tokens", "revoke", token.id).exit_code == Exit.NOT_FOUND
    assert "revoked" in wagate("tokens", "list").stdout
    nobody = wagate("tokens", "create", "--session", "nobody", "--user", "ada")
    assert (nobody.exit_code, "nobody not found" in nobody.stderr) == (Exit.NOT_FOUND, True)


def test_what_the_operator_does_is_audited(wagate: Callable[..., Result], tmp_path: Path) -> None:
    secret = wagate("keys", "create", "--organization", "acme").stdout.strip()
    key = key_of(tmp_path, secret)
    assert key is not None
    wagate("keys", "create", "--organization", "other")
    wagate("keys", "revoke", key.id)
    lines = [json.loads(line) for line in wagate("audit", "list", "--json").stdout.splitlines()]
    assert [(line["operation"], line["organizationId"]) for line in lines] == [
        ("createKey", "acme"),
        ("createKey", "other"),
        ("revokeKey", "acme"),
    ]
    assert {(line["actorKind"], line["actor"]) for line in lines} == {("cli", "root-of-the-test")}
    assert lines[0]["target"] == lines[2]["target"] == key.id
    assert secret not in json.dumps(lines)

    mine = wagate("audit", "list", "--organization", "acme").stdout.splitlines()
    assert [line.split()[1:4] for line in mine] == [
        ["ok", "createKey", key.id],
        ["ok", "revokeKey", key.id],
    ]
    assert wagate("audit", "list", "--since", "2999-01-01").stdout == ""
    assert wagate("audit", "list", "--organization", "nobody").exit_code == Exit.NOT_FOUND
    assert wagate("audit", "list", "--since", "yesterday").exit_code == 2


def test_a_long_audit_is_read_in_pages(
    wagate: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.commands.audit.PAGE", 2)
    for _ in range(5):
        wagate("keys", "create")
    assert len(wagate("audit", "list").stdout.splitlines()) == 5


@pytest.mark.parametrize("command", [("keys", "list"), ("audit", "list")])
def test_settings_that_cannot_be_taken_are_named(
    wagate: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WAGATE_AUDIT_DAYS", "0")
    monkeypatch.setenv("WAGATE_JWT_LEEWAY", "s3cret")
    answer = wagate(*command)
    assert answer.exit_code == Exit.WRONG_USE
    assert answer.stderr.startswith("wagate: WAGATE_JWT_LEEWAY: ")
    assert "; WAGATE_AUDIT_DAYS: " in answer.stderr
    assert "s3cret" not in answer.stderr


def test_times_are_read_and_written() -> None:
    assert [milliseconds(text) for text in ("1m", "2h", "90d", "4w", " 1d ")] == [
        60_000, 7_200_000, 90 * DAY, 28 * DAY, DAY,
    ]  # fmt: skip
    assert moment("1d", 10 * DAY) == 9 * DAY
    assert moment("1970-01-02", 0) == DAY
    assert moment("1970-01-02T02:00:00+02:00", 0) == DAY
    assert shown(DAY) == "1970-01-02T00:00:00Z"
    assert shown(None) == "never"
