"""`wagate tokens`: the tokens of the WUTS API."""

from typing import Annotated

import typer

from server.auth.user_tokens import UserTokens
from server.commands.running import opened_database, run
from server.commands.times import shown, table
from server.errors import not_found
from server.store.sessions import SessionRepository
from server.store.user_tokens import UserTokenRepository

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke users' tokens of the WUTS API.")


@app.command()
def create(
    session: Annotated[str, typer.Option(help="The id of the session that it opens.")],
    user: Annotated[str, typer.Option(help="Whom it stands for; the audit names them so.")],
) -> None:
    """Make a token and print it: it is shown this once."""

    async def work() -> str:
        async with opened_database() as database:
            record = await SessionRepository(database).find(session)
            if record is None:
                raise not_found(f"session {session}")
            token, secret = await UserTokens(UserTokenRepository(database)).create(record, user)
            typer.echo(f"token {token.id} of user {user}; this is its only showing:", err=True)
            return secret

    typer.echo(run(work()))


@app.command("list")
def list_tokens() -> None:
    """List the tokens, without their secrets."""

    async def work() -> list[tuple[str, ...]]:
        async with opened_database() as database:
            return [
                (
                    token.id,
                    token.organization_id,
                    token.session_id,
                    "in force" if token.revoked_at is None else "revoked",
                    shown(token.last_used_at),
                    token.user_name,
                )
                for token in await UserTokens(UserTokenRepository(database)).list()
            ]

    for line in table(("ID", "ORGANIZATION", "SESSION", "STATE", "LAST USED", "USER"), run(work())):
        typer.echo(line)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="The token's id, as `tokens list` shows it.")],
) -> None:
    """Revoke a token. Calls with it are refused within a second."""

    async def work() -> None:
        async with opened_database() as database:
            await UserTokens(UserTokenRepository(database)).revoke(token_id)

    run(work())
    typer.echo(f"token {token_id} is revoked", err=True)
