"""`wagate webhooks listen`: a receiver on this machine that verifies and shows what is posted to it."""

import asyncio
import hmac
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from aiohttp import web
from wagate.v1 import webhooks_pb2 as pb

from server.commands.calling import AsJson, KeyFile, Url, place_and_key
from server.commands.output import Output
from server.commands.running import run
from server.commands.secret_files import SecretFile, read_secret
from server.commands.watching import reader_gone
from server.commands.words import time_of
from server.errors import Code, WagateError
from server.events.webhooks.signing import HMAC, REQUEST_ID, signature
from server.remote.gateway import open_gateway

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a POST at most."""


@dataclass
class _Receiver:
    """Takes POSTs, and shows them."""

    out: Output
    secret: str
    answer: int
    most: int | None
    taken: int = 0

    def __post_init__(self) -> None:
        self.over = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        given = request.headers.get(HMAC, "")
        verdict = "not signed"
        if self.secret:
            genuine = hmac.compare_digest(signature(self.secret, body).encode(), given.encode())
            verdict = "signature is right" if genuine else "SIGNATURE IS WRONG"
        elif given:
            verdict = "signed; no --secret-file to verify it with"
        is_refused = bool(self.secret) and verdict == "SIGNATURE IS WRONG"
        status = 401 if is_refused else self.answer
        self._show(body, verdict, status, request.headers.get(REQUEST_ID, ""))
        self.taken += 1
        if self.taken == self.most:
            self.over.set()
        return web.Response(status=status)

    def _show(self, body: bytes, verdict: str, status: int, request_id: str) -> None:
        try:
            event: Any = json.loads(body)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self.out.aside(f"A POST of {len(body)} bytes that is no event ({verdict}): answered {status}.")
            return
        if self.out.is_json:
            self.out.line({"event": event, "verdict": verdict, "answer": status, "requestId": request_id})
            return
        at = event.get("timestamp")
        when = time_of(at if isinstance(at, int) else None)
        self.out.say(f"{when}  {event.get('event')}  {event.get('id')}  ({verdict}; answered {status})")
        self.out.say(f"    {json.dumps(event.get('payload'), ensure_ascii=False)}")
        self.out.flush()


def listen(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")] = 8099,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    secret_file: SecretFile = None,
    answer: Annotated[
        int, typer.Option(min=200, max=599, help="What to answer with: 500 shows what a failure does.")
    ] = 204,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many.", show_default=False)] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", "-e", help="With --register: of this name alone; may be repeated."),
    ] = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register",
            help="Make a webhook that leads here, with a secret of its own, and delete it at the end. The "
            "gateway must allow private addresses (WAGATE_WEBHOOK_ALLOW_PRIVATE=1).",
        ),
    ] = False,
    json_output: AsJson = False,
    url: Url = "",
    key_file: KeyFile = None,
) -> None:
    """Receive posts on this machine, verify their signatures and show them, until Ctrl+C."""
    secret = read_secret(secret_file) if secret_file is not None else ""

    async def work() -> None:
        nonlocal secret
        if register:
            secret = secret or secrets.token_urlsafe(32)
        receiver = _Receiver(Output(is_json=json_output), secret, answer, count)
        async with _serving(receiver, host, port) as address:
            receiver.out.aside(f"Listening at {address}. Ctrl+C ends it.")
            if not register:
                await _until_over(receiver)
                return
            place, key = place_and_key(url, key_file)
            async with open_gateway(place, key) as gateway:
                request = pb.CreateWebhookRequest(url=address, events=event or (), secret=secret)
                made = await gateway.ask(gateway.webhooks.CreateWebhook, request)
                receiver.out.aside(f"Webhook {made.id} leads here until then.")
                try:
                    await _until_over(receiver)
                finally:
                    await gateway.ask(gateway.webhooks.DeleteWebhook, pb.DeleteWebhookRequest(id=made.id))

    run(work(), is_json=json_output)


async def _until_over(receiver: _Receiver) -> None:
    async with reader_gone(sys.stdout) as gone:
        over = asyncio.ensure_future(receiver.over.wait())
        either: set[asyncio.Future[Any]] = {over, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if gone.done():
            raise BrokenPipeError


@asynccontextmanager
async def _serving(receiver: _Receiver, host: str, port: int) -> AsyncIterator[str]:
    application = web.Application(client_max_size=LONGEST)
    application.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise WagateError(
                Code.CONFLICT,
                f"cannot listen on {host}:{port} ({error.strerror or error}): give another --port",
            ) from error
        bracketed = f"[{host}]" if ":" in host else host
        yield f"http://{bracketed}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
