"""`wagate audit`: who changed what."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

import typer

from server.clock import now_ms
from server.commands.database import opened_database
from server.commands.running import run
from server.commands.times import moment, shown
from server.errors import not_found
from server.store.api_keys import ApiKeyRepository
from server.store.audit import AuditRepository
from server.store.database import Database
from server.store.records import AuditLine

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who changed what, and how it ended.")

PAGE: Final = 1000
"""Lines read at a time: the audit may be long."""


@app.command("list")
def list_lines(
    organization: Annotated[str, typer.Option(help="Its name; without it, every organization.")] = "",
    since: Annotated[str, typer.Option(help="Such as 12h or 7d, or a date or time (ISO 8601).")] = "1d",
    *,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List the audit's lines, oldest first."""
    begin = moment(since, now_ms())

    async def work() -> None:
        async with opened_database() as database:
            async for line in _lines(database, organization, begin):
                typer.echo(_json(line) if json_output else _text(line))

    run(work())


async def _lines(database: Database, organization: str, since: int) -> AsyncIterator[AuditLine]:
    organization_id = None
    if organization:
        found = await ApiKeyRepository(database).find_organization(organization)
        if found is None:
            raise not_found(f"organization {organization}")
        organization_id = found.id
    audit, after = AuditRepository(database), 0
    while page := await audit.page(after=after, since=since, organization_id=organization_id, limit=PAGE):
        for line in page:
            yield line
            after = line.id or 0


def _text(line: AuditLine) -> str:
    return (
        f"{shown(line.at)}  {line.outcome}  {line.operation}  {line.target}  "
        f"by {line.actor_kind} {line.actor} of {line.organization_id}  request {line.request_id}"
    )


def _json(line: AuditLine) -> str:
    return json.dumps(
        {
            "id": line.id,
            "at": line.at,
            "organizationId": line.organization_id,
            "actor": line.actor,
            "actorKind": line.actor_kind,
            "operation": line.operation,
            "target": line.target,
            "outcome": line.outcome,
            "requestId": line.request_id,
        }
    )
