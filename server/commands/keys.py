"""`wagate keys`: api-keys."""

from typing import Annotated

import typer

from server.auth.keys import ApiKeys
from server.auth.principal import Capability
from server.clock import now_ms
from server.commands.running import opened_database, run
from server.commands.times import milliseconds, shown, table
from server.store.api_keys import ApiKeyRepository
from server.store.records import ApiKey

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke api-keys.")


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
) -> None:
    """Make an api-key and print its secret, which is shown this once."""
    try:
        wanted = {Capability(word.strip()) for word in permissions.split(",")}
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}; choose of read, send, manage", param_hint="--permissions"
        ) from None
    expires_at = now_ms() + milliseconds(expires_in) if expires_in else None

    async def work() -> str:
        async with opened_database() as database:
            key, secret = await ApiKeys(ApiKeyRepository(database)).create(
                organization=organization, permissions=wanted, label=label, expires_at=expires_at
            )
            end = f", expires {shown(expires_at)}" if expires_at else ""
            typer.echo(
                f"key {key.id} of organization {organization}{end}; this is its only showing:", err=True
            )
            return secret

    typer.echo(run(work()))


@app.command("list")
def list_keys() -> None:
    """List the api-keys, without their secrets."""

    async def work() -> list[tuple[str, ...]]:
        async with opened_database() as database:
            return [_row(key, now_ms()) for key in await ApiKeys(ApiKeyRepository(database)).list()]

    heads = ("ID", "ORGANIZATION", "PERMISSIONS", "STATE", "EXPIRES", "LAST USED", "LABEL")
    for line in table(heads, run(work())):
        typer.echo(line)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]) -> None:
    """Revoke an api-key. Calls with it are refused within a second."""

    async def work() -> None:
        async with opened_database() as database:
            await ApiKeys(ApiKeyRepository(database)).revoke(key_id)

    run(work())
    typer.echo(f"key {key_id} is revoked", err=True)


def _row(key: ApiKey, now: int) -> tuple[str, ...]:
    state = "in force"
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None and key.expires_at <= now:
        state = "expired"
    return (
        key.id,
        key.organization_id,
        ",".join(key.permissions),
        state,
        shown(key.expires_at),
        shown(key.last_used_at),
        key.label,
    )
