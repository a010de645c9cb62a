"""How a command's words name a session or a webhook, and how a shell completes them."""

import asyncio
import os
from typing import Annotated, Any, Final

import typer
from wagate.v1 import sessions_pb2, webhooks_pb2

from server.commands.calling import place_and_key
from server.errors import WagateError
from server.remote.gateway import Gateway, open_gateway

_COMPLETION_SECONDS: Final = 1.5
"""A person waits with a finger on the tab key."""


def _sessions() -> list[tuple[str, str]]:
    async def ask(gateway: Gateway) -> list[tuple[str, str]]:
        request = sessions_pb2.ListSessionsRequest(limit=200)
        page = await gateway.ask(gateway.sessions.ListSessions, request, seconds=_COMPLETION_SECONDS)
        return [(s.id, s.label or s.phone_number) for s in page.data]

    return _asked(ask)


def _webhooks() -> list[tuple[str, str]]:
    async def ask(gateway: Gateway) -> list[tuple[str, str]]:
        request = webhooks_pb2.ListWebhooksRequest(limit=200)
        page = await gateway.ask(gateway.webhooks.ListWebhooks, request, seconds=_COMPLETION_SECONDS)
        return [(w.id, w.url) for w in page.data]

    return _asked(ask)


def _asked(ask: Any) -> list[tuple[str, str]]:
    """What the gateway of the environment tells; nothing where it does not: a shell shows no errors."""

    async def run() -> list[tuple[str, str]]:
        place, key = place_and_key(os.environ.get("WAGATE_URL", ""), None)
        async with open_gateway(place, key) as gateway:
            found: list[tuple[str, str]] = await ask(gateway)
            return found

    try:
        return asyncio.run(run())
    except WagateError:
        return []


def complete_session(incomplete: str) -> list[tuple[str, str]]:
    """Ids of sessions that begin with what is there, and labels."""
    found = _sessions()
    by_id = [(name, about) for name, about in found if name.startswith(incomplete)]
    return by_id or [(about, name) for name, about in found if about and about.startswith(incomplete)]


def complete_webhook(incomplete: str) -> list[tuple[str, str]]:
    """Ids of webhooks that begin with what is there."""
    return [(name, about) for name, about in _webhooks() if name.startswith(incomplete)]


SessionArgument = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="Its id or label; may be left out where there is only one.",
        envvar="WAGATE_SESSION",
        autocompletion=complete_session,
        show_default=False,
    ),
]
NamedSession = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its id or label.", autocompletion=complete_session)
]
SessionOption = Annotated[
    str,
    typer.Option(
        "--session",
        "-s",
        help="The session's id or label; may be left out where there is only one.",
        envvar="WAGATE_SESSION",
        autocompletion=complete_session,
        show_default=False,
    ),
]
WebhookArgument = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Its id.", autocompletion=complete_webhook)
]
