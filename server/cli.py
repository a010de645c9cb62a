"""The command `wagate`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from server.auth.keys import ApiKeys
from server.auth.principal import Capability
from server.config import Settings
from server.errors import WagateError
from server.limits import give_go_processors, raise_open_files
from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import open_database

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke api-keys.")
app.add_typer(keys_app, name="keys")


@app.callback()
def _wagate() -> None:
    """A WhatsApp gateway: gRPC and REST over linked devices."""


@app.command()
def serve() -> None:
    """Run a node: a gRPC server that holds the WhatsApp sessions."""
    give_go_processors()
    import uvloop  # noqa: PLC0415 - only the node needs them, and they take half a second

    from server.app import serve as run  # noqa: PLC0415 - as above
    from server.logging_setup import set_up  # noqa: PLC0415 - as above

    settings = Settings()
    set_up(settings.log_level)
    raise_open_files()
    _run(run(settings), uvloop.run)


@app.command()
def up(
    *,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Run the sandbox network too, and talk to it instead of WhatsApp."),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="When all serves, print one line of JSON and nothing else.")
    ] = False,
) -> None:
    """Run everything that one machine needs: node, Envoy and, on request, the sandbox."""
    from server.supervisor.up import main as run  # noqa: PLC0415 - the other commands start faster without

    raise typer.Exit(run(sandbox, json_output))


@app.command()
def sandbox() -> None:
    """Run the sandbox network alone: a WhatsApp of our own on loopback."""
    try:
        from sandbox.__main__ import main as run  # noqa: PLC0415 - an extra that may not be installed
    except ImportError as error:
        typer.echo(
            f"wagate: the sandbox is not installed ({error.name}): pip install 'wagate[sandbox]'", err=True
        )
        raise typer.Exit(1) from None
    raise typer.Exit(run())


@keys_app.command("create")
def create_key(
    organization: Annotated[str, typer.Option(help="Its name; made where there is none.")] = "default",
    permissions: Annotated[str, typer.Option(help="Of read, send, manage; comma-separated.")] = (
        "read,send,manage"
    ),
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
) -> None:
    """Make an api-key and print its secret, which is shown this once."""
    try:
        wanted = [Capability(word.strip()) for word in permissions.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}; choose of read, send, manage", param_hint="--permissions"
        ) from None

    async def create() -> str:
        async with _keys() as keys:
            key, secret = await keys.create(organization=organization, permissions=wanted, label=label)
            typer.echo(f"key {key.id} of organization {organization}; this is its only showing:", err=True)
            return secret

    typer.echo(_run(create()))


@keys_app.command("list")
def list_keys() -> None:
    """List the api-keys, without their secrets."""

    async def listed() -> list[str]:
        async with _keys() as keys:
            return [
                f"{key.id}  organization {key.organization_id}  {','.join(key.permissions)}"
                f"  {'revoked' if key.revoked_at else 'in force'}  {key.label}"
                for key in await keys.list()
            ]

    for line in _run(listed()):
        typer.echo(line)


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]) -> None:
    """Revoke an api-key. Calls with it are refused within a second."""

    async def revoke() -> None:
        async with _keys() as keys:
            await keys.revoke(key_id)

    _run(revoke())
    typer.echo(f"key {key_id} is revoked", err=True)


@contextlib.asynccontextmanager
async def _keys() -> AsyncIterator[ApiKeys]:
    database = open_database(Settings().database)
    try:
        await schema.upgrade(database)
        yield ApiKeys(ApiKeyRepository(database))
    finally:
        await database.close()


def _run(work: Coroutine[Any, Any, Result], runner: Callable[..., Result] = asyncio.run) -> Result:
    try:
        return runner(work)
    except WagateError as error:
        typer.echo(f"wagate: {error.message}", err=True)
        raise typer.Exit(1) from None


def main() -> None:
    """The entry of the command."""
    app()


if __name__ == "__main__":
    main()
