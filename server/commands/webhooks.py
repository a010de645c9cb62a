"""`wagate webhooks`: where events are posted to, and what became of them."""

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from google.protobuf import struct_pb2
from wagate.v1 import webhooks_pb2 as pb

from server.commands.calling import Call, calls
from server.commands.choosing import WebhookArgument
from server.commands.confirming import confirm
from server.commands.listen import listen
from server.commands.output import Column
from server.commands.secret_files import SecretFile, read_secret
from server.commands.words import number_of, time_of, word
from server.errors import invalid
from server.remote.documents import document_of

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Have events posted to you, and see what became of them."
)
app.command()(listen)

WEBHOOKS: Final[tuple[Column[pb.Webhook], ...]] = (
    Column("ID", lambda w: w.id),
    Column("ACTIVE", lambda w: "yes" if w.active else "no"),
    Column("EVENTS", lambda w: ",".join(w.events), may_shrink=True),
    Column("URL", lambda w: w.url, may_shrink=True),
)


def _last(delivery: pb.WebhookDelivery) -> str:
    if delivery.HasField("last_error"):
        return delivery.last_error
    return time_of(delivery.delivered_at)


DELIVERIES: Final[tuple[Column[pb.WebhookDelivery], ...]] = (
    Column("ID", lambda d: d.id),
    Column("EVENT", lambda d: d.event, may_shrink=True),
    Column("STATE", lambda d: word(pb.DeliveryState.DESCRIPTOR, d.state)),
    Column("TRIES", lambda d: str(d.attempts), is_number=True),
    Column("LAST", _last, may_shrink=True),
)
_POLICY: Final = pb.Backoff.DESCRIPTOR

Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event", "-e", help="An event's name; may be repeated. Without it: all.", show_default=False
    ),
]
OfSession = Annotated[
    str,
    typer.Option(
        "--session", "-s", help="Events of this session alone: its id or label.", show_default=False
    ),
]
NewSecret = Annotated[bool, typer.Option("--new-secret", help="Make a secret, and print it this once.")]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header", metavar="'NAME: VALUE'", help="A further header; may be repeated.", show_default=False
    ),
]
Attempts = Annotated[
    int | None, typer.Option(min=1, max=100, help="Posts of one event at most.", show_default=False)
]
Delay = Annotated[
    int | None,
    typer.Option(min=1, max=3600, help="Seconds behind the first attempt.", show_default=False),
]
Policy = Annotated[
    str, typer.Option(help="How the waits grow: constant, linear or exponential.", show_default=False)
]


@app.command("list")
@calls
async def list_webhooks(call: Call) -> None:
    """List the webhooks, oldest first."""
    found = [
        w async for w in call.gateway.every(call.gateway.webhooks.ListWebhooks, pb.ListWebhooksRequest())
    ]
    if call.out.is_json:
        call.out.document({"data": [document_of(w) for w in found], "nextCursor": ""})
    else:
        call.out.table(WEBHOOKS, found, empty="No webhook yet: `wagate webhooks create URL` makes one.")


@app.command()
@calls
async def show(call: Call, webhook: WebhookArgument) -> None:
    """Show one webhook."""
    _show(call, await call.gateway.ask(call.gateway.webhooks.GetWebhook, pb.GetWebhookRequest(id=webhook)))


@app.command()
@calls
async def create(
    call: Call,
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to.")],
    *,
    event: Events = None,
    session: OfSession = "",
    secret_file: SecretFile = None,
    header: Headers = None,
    attempts: Attempts = None,
    delay: Delay = None,
    policy: Policy = "",
    new_secret: NewSecret = False,
    paused: Annotated[bool, typer.Option("--paused", help="Post nothing yet; events wait.")] = False,
) -> None:
    """Make a webhook. It hears of what happens from then on."""
    secret = _secret(secret_file, new_secret=new_secret) or ""
    request = pb.CreateWebhookRequest(
        url=receiver,
        events=event or (),
        session_id=await call.session(session) if session else "",
        active=not paused,
        secret=secret,
        custom_headers=_headers(header),
        retry_policy=_retry(attempts, delay, policy),
    )
    _show(
        call,
        await call.gateway.ask(call.gateway.webhooks.CreateWebhook, request),
        secret if new_secret else "",
    )


@app.command()
@calls
async def update(
    call: Call,
    webhook: WebhookArgument,
    *,
    to: Annotated[str, typer.Option(metavar="URL", help="Another address.", show_default=False)] = "",
    event: Events = None,
    session: OfSession = "",
    secret_file: SecretFile = None,
    header: Headers = None,
    attempts: Attempts = None,
    delay: Delay = None,
    policy: Policy = "",
    new_secret: NewSecret = False,
    no_secret: Annotated[bool, typer.Option("--no-secret", help="Sign no longer.")] = False,
    every_session: Annotated[
        bool, typer.Option("--every-session", help="Of every session from now on.")
    ] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--paused", help="Post, or let events wait.", show_default=False)
    ] = None,
) -> None:
    """Change what is given, and leave the rest."""
    secret = "" if no_secret else _secret(secret_file, new_secret=new_secret)
    of_session = "" if every_session else (await call.session(session) if session else None)
    request = pb.UpdateWebhookRequest(
        id=webhook,
        url=to or None,
        events=event or (),
        session_id=of_session,
        active=active,
        secret=secret,
        custom_headers=_headers(header) if header else None,
        retry_policy=_retry(attempts, delay, policy),
    )
    changed = await call.gateway.ask(call.gateway.webhooks.UpdateWebhook, request)
    _show(call, changed, secret or "" if new_secret else "")


@app.command()
@calls
async def delete(
    call: Call,
    webhook: WebhookArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a webhook for good, with its deliveries."""
    confirm(f"Delete webhook {webhook} with its deliveries?", yes=yes)
    await call.gateway.ask(call.gateway.webhooks.DeleteWebhook, pb.DeleteWebhookRequest(id=webhook))
    if not call.out.is_json:
        call.out.say(f"Webhook {webhook} is deleted.")


@app.command()
@calls
async def status(call: Call, webhook: WebhookArgument) -> None:
    """Show how a webhook's receiver does."""
    request = pb.GetWebhookStatusRequest(id=webhook)
    found = await call.gateway.ask(call.gateway.webhooks.GetWebhookStatus, request)
    if call.out.is_json:
        call.out.document(document_of(found))
        return
    call.out.fields(
        [
            ("state", word(pb.WebhookState.DESCRIPTOR, found.state)),
            ("next attempt", time_of(found.next_attempt_at)),
            ("failures in a row", str(found.failures)),
            ("dead letters", str(found.dead)),
            ("settled up to", found.position),
        ]
    )


@app.command()
@calls
async def deliveries(
    call: Call,
    webhook: WebhookArgument,
    state: Annotated[
        str, typer.Option(help="Of these alone: pending, delivered or dead.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    cursor: Annotated[
        str,
        typer.Option(help="Where the page before ended: the nextCursor of its --json.", show_default=False),
    ] = "",
) -> None:
    """Show the delivery log, newest event first. Dead letters: --state dead."""
    request = pb.ListWebhookDeliveriesRequest(id=webhook, state=state, limit=limit, cursor=cursor)
    page = await call.gateway.ask(call.gateway.webhooks.ListWebhookDeliveries, request)
    if call.out.is_json:
        call.out.document(document_of(page))
        return
    call.out.table(DELIVERIES, list(page.data), empty="Nothing was posted to it.")
    if page.next_cursor:
        call.out.aside(f"There are more: --cursor {page.next_cursor}")


@app.command()
@calls
async def redrive(
    call: Call,
    webhook: WebhookArgument,
    delivery: Annotated[
        list[str] | None, typer.Argument(metavar="DELIVERY", help="Ids; none for all that are dead.")
    ] = None,
) -> None:
    """Send dead letters on their way again."""
    request = pb.RedriveWebhookRequest(id=webhook, delivery_ids=delivery or ())
    done = await call.gateway.ask(call.gateway.webhooks.RedriveWebhook, request)
    if call.out.is_json:
        call.out.document(document_of(done))
    else:
        call.out.say(f"{done.redriven} dead letters are on their way again.")


def _show(call: Call, webhook: pb.Webhook, secret: str = "") -> None:
    if call.out.is_json:
        # The secret that was just made is told here alone; the API never tells one.
        call.out.document(document_of(webhook) | ({"secret": secret} if secret else {}))
        return
    policy = webhook.retry_policy
    call.out.fields(
        [
            ("webhook", webhook.id),
            ("url", webhook.url),
            ("events", ", ".join(webhook.events)),
            ("session", webhook.session_id or "every one"),
            ("active", "yes" if webhook.active else "no: events wait"),
            (
                "tried again",
                f"{policy.attempts} attempts, {policy.delay_seconds} s, {word(_POLICY, policy.policy)}",
            ),
            *((f"header {name}", value) for name, value in sorted(webhook.custom_headers.items())),
            *((("secret", f"{secret}  (its only showing)"),) if secret else ()),
        ]
    )


def _secret(path: Path | None, *, new_secret: bool) -> str | None:
    if new_secret:
        return secrets.token_urlsafe(32)
    return None if path is None else read_secret(path)


def _headers(given: list[str] | None) -> struct_pb2.Struct:
    headers = struct_pb2.Struct()
    for header in given or ():
        name, colon, value = header.partition(":")
        if not colon:
            raise invalid("header", f"{header!r} is no header: write 'NAME: VALUE'")
        headers.update({name.strip(): value.strip()})
    return headers


def _retry(attempts: int | None, delay: int | None, policy: str) -> pb.RetryPolicyRequest:
    words: Any = None
    if policy:
        try:
            words = number_of(_POLICY, policy)
        except KeyError:
            raise invalid("policy", "choose of constant, linear, exponential") from None
    return pb.RetryPolicyRequest(attempts=attempts, delay_seconds=delay, policy=words)
