"""`wagate tokens`: the tokens of the WUTS API."""

from typing import Annotated, Final

import typer

from server.auth.user_tokens import UserTokens
from server.commands.calling import AsJson
from server.commands.database import opened_database
from server.commands.output import Column, Output
from server.commands.running import run
from server.commands.times import shown
from server.errors import not_found
from server.store.records import UserToken
from server.store.sessions import SessionRepository
from server.store.user_tokens import UserTokenRepository

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Make, list and revoke users' tokens of the WUTS API."
)


@app.command()
def create(
    session: Annotated[str, typer.Option(help="The id of the session that it opens.")],
    user: Annotated[str, typer.Option(help="Whom it stands for; the audit names them so.")],
    *,
    json_output: AsJson = False,
) -> None:
    """Make a token and print it: it is shown this once."""

    async def work() -> None:
        async with opened_database() as database:
            record = await SessionRepository(database).find(session)
            if record is None:
                raise not_found(f"session {session}")
            token, secret = await UserTokens(UserTokenRepository(database)).create(record, user)
        if json_output:
            Output(is_json=True).document(_document(token) | {"secret": secret})
            return
        typer.echo(f"token {token.id} of user {user}; this is its only showing:", err=True)
        typer.echo(secret)

    run(work(), is_json=json_output)


@app.command("list")
def list_tokens(*, json_output: AsJson = False) -> None:
    """List the tokens, without their secrets."""

    async def work() -> None:
        async with opened_database() as database:
            found = await UserTokens(UserTokenRepository(database)).list()
        out = Output(is_json=json_output)
        if json_output:
            out.document({"data": [_document(token) for token in found]})
        else:
            out.table(_COLUMNS, found, empty="No token yet: `wagate tokens create` makes one.")

    run(work(), is_json=json_output)


@app.command()
def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="TOKEN", help="The token's id, as `tokens list` shows it.")
    ],
    *,
    json_output: AsJson = False,
) -> None:
    """Revoke a token. Calls with it are refused within a second."""

    async def work() -> None:
        async with opened_database() as database:
            await UserTokens(UserTokenRepository(database)).revoke(token_id)

    run(work(), is_json=json_output)
    if not json_output:
        typer.echo(f"token {token_id} is revoked", err=True)


def _state(token: UserToken) -> str:
    return "in force" if token.revoked_at is None else "revoked"


_COLUMNS: Final[tuple[Column[UserToken], ...]] = (
    Column("ID", lambda token: token.id),
    Column("ORGANIZATION", lambda token: token.organization_id, may_shrink=True),
    Column("SESSION", lambda token: token.session_id),
    Column("STATE", _state),
    Column("LAST USED", lambda token: shown(token.last_used_at), may_shrink=True),
    Column("USER", lambda token: token.user_name, may_shrink=True),
)


def _document(token: UserToken) -> dict[str, object]:
    return {
        "id": token.id,
        "organizationId": token.organization_id,
        "sessionId": token.session_id,
        "user": token.user_name,
        "state": _state(token),
        "lastUsedAt": token.last_used_at,
    }
