"""`wagate keys`: api-keys."""

from typing import Annotated

import typer

from server.auth.keys import ApiKeys
from server.auth.principal import Capability
from server.clock import now_ms
from server.commands.calling import AsJson
from server.commands.database import opened_database
from server.commands.output import Column, Output
from server.commands.running import run
from server.commands.times import milliseconds, shown
from server.store.api_keys import ApiKeyRepository
from server.store.records import ApiKey

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make, list and revoke api-keys.")


@app.command()
def create(
    organization: Annotated[str, typer.Option(help="Its name; made where there is none.")] = "default",
    permissions: Annotated[str, typer.Option(help="Of read, send, manage; comma-separated.")] = (
        "read,send,manage"
    ),
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    expires_in: Annotated[
        str, typer.Option(help="Such as 12h, 90d or 52w; without it the key is good until it is revoked.")
    ] = "",
    *,
    json_output: AsJson = False,
) -> None:
    """Make an api-key and print its secret, which is shown this once."""
    try:
        wanted = {Capability(word.strip()) for word in permissions.split(",")}
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}; choose of read, send, manage", param_hint="--permissions"
        ) from None
    expires_at = now_ms() + milliseconds(expires_in) if expires_in else None

    async def work() -> None:
        async with opened_database() as database:
            key, secret = await ApiKeys(ApiKeyRepository(database)).create(
                organization=organization, permissions=wanted, label=label, expires_at=expires_at
            )
        if json_output:
            Output(is_json=True).document(_document(key, now_ms()) | {"secret": secret})
            return
        end = f", expires {shown(expires_at)}" if expires_at else ""
        typer.echo(f"key {key.id} of organization {organization}{end}; this is its only showing:", err=True)
        typer.echo(secret)

    run(work(), is_json=json_output)


@app.command("list")
def list_keys(*, json_output: AsJson = False) -> None:
    """List the api-keys, without their secrets."""

    async def work() -> None:
        async with opened_database() as database:
            found = await ApiKeys(ApiKeyRepository(database)).list()
        out, now = Output(is_json=json_output), now_ms()
        if json_output:
            out.document({"data": [_document(key, now) for key in found]})
        else:
            out.table(_columns(now), found, empty="No api-key yet: `wagate keys create` makes one.")

    run(work(), is_json=json_output)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as `keys list` shows it.")],
    *,
    json_output: AsJson = False,
) -> None:
    """Revoke an api-key. Calls with it are refused within a second."""

    async def work() -> None:
        async with opened_database() as database:
            await ApiKeys(ApiKeyRepository(database)).revoke(key_id)

    run(work(), is_json=json_output)
    if not json_output:
        typer.echo(f"key {key_id} is revoked", err=True)


def _columns(now: int) -> tuple[Column[ApiKey], ...]:
    return (
        Column("ID", lambda key: key.id),
        Column("ORGANIZATION", lambda key: key.organization_id, may_shrink=True),
        Column("PERMISSIONS", lambda key: ",".join(key.permissions)),
        Column("STATE", lambda key: _state(key, now)),
        Column("EXPIRES", lambda key: shown(key.expires_at), may_shrink=True),
        Column("LAST USED", lambda key: shown(key.last_used_at), may_shrink=True),
        Column("LABEL", lambda key: key.label, may_shrink=True),
    )


def _state(key: ApiKey, now: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "in force"


def _document(key: ApiKey, now: int) -> dict[str, object]:
    return {
        "id": key.id,
        "organizationId": key.organization_id,
        "permissions": list(key.permissions),
        "state": _state(key, now),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "label": key.label,
    }
