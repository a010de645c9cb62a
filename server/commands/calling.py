"""Commands that call a gateway: where it is, with which key, and how the answer is shown."""

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer
from wagate.v1 import sessions_pb2

from server.commands.output import Output
from server.commands.running import run
from server.errors import Code, WagateError, invalid, not_found
from server.remote.credentials import key_for
from server.remote.gateway import Gateway, open_gateway
from server.remote.place import Place, place_of
from server.supervisor.settings import UpSettings, load_up_settings

Url = Annotated[
    str,
    typer.Option(
        "--url",
        "--address",
        envvar="WAGATE_URL",
        help="The gateway, such as https://gateway.example. Without it: the one on this machine.",
        show_default=False,
        rich_help_panel="Gateway",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the api-key; - is standard input. Without it: WAGATE_API_KEY, or the key that "
        "`wagate up` left in the data directory.",
        show_default=False,
        rich_help_panel="Gateway",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, with the names of the REST API.")]

Parameters = ParamSpec("Parameters")
Work = Callable[Concatenate["Call", Parameters], Coroutine[Any, Any, None]]

_ULID_LENGTH: Final = 26


@dataclass(frozen=True)
class Call:
    """One command's gateway and output.

    Attributes:
        gateway: to be asked.
        out: where the answer goes.
    """

    gateway: Gateway
    out: Output

    async def session(self, wanted: str) -> str:
        """The id of the session that is meant.

        Args:
            wanted: an id, or a label that one session alone has; "" means the only session there is.

        Raises:
            WagateError: NOT_FOUND where there is none; VALIDATION_ERROR where it could be several.
        """
        if is_session_id(wanted):
            return wanted
        try:
            found = [s async for s in self.gateway.every(self.gateway.sessions.ListSessions, _ALL())]
        except WagateError as error:
            if error.code is not Code.FORBIDDEN:
                raise
            raise WagateError(
                Code.FORBIDDEN, "this api-key may not list sessions: give the session's id with --session"
            ) from error
        if wanted:
            found = [s for s in found if s.label == wanted]
        if len(found) == 1:
            return str(found[0].id)
        if found:
            several = f"{len(found)} sessions are called {wanted!r}" if wanted else f"there are {len(found)}"
            raise invalid("session", f"{several}: give the id of one; `wagate sessions list` shows them")
        if wanted:
            raise not_found(f"session {wanted!r}")
        raise WagateError(Code.NOT_FOUND, "there is no session yet: `wagate pair` makes one and links it")


_ALL: Final = sessions_pb2.ListSessionsRequest


def is_session_id(text: str) -> bool:
    """Whether a text is a session's id and not its label."""
    return len(text) == _ULID_LENGTH and text.isalnum() and text.upper() == text and text[0] in "01234567"


def place_and_key(url: str, key_file: Path | None, settings: UpSettings | None = None) -> tuple[Place, str]:
    """Where a command calls, and with which key.

    Raises:
        WagateError: an address that is none, no key, or settings that cannot be taken.
    """
    settings = settings or load_up_settings()
    place = place_of(url or str(settings.edge))
    return place, key_for(place, key_file=key_file, data_dir=settings.data_dir)


def calls(work: Work[Parameters]) -> Callable[..., None]:
    """Makes a command of a coroutine that calls a gateway.

    The command gets the options that say which gateway, with which key and whether as JSON; the coroutine
    gets a `Call` before its own parameters.
    """

    @wraps(work)
    def command(*args: Any, url: str, key_file: Path | None, json_output: bool, **given: Any) -> None:
        async def calling() -> None:
            place, key = place_and_key(url, key_file)
            async with open_gateway(place, key) as gateway:
                await work(Call(gateway, Output(is_json=json_output)), *args, **given)

        run(calling(), is_json=json_output)

    own = list(inspect.signature(work).parameters.values())[1:]
    options = [
        _option("json_output", AsJson, default=False),
        _option("url", Url, default=""),
        _option("key_file", KeyFile, default=None),
    ]
    # Typer reads both: the one for order and defaults, the other for types.
    command.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined] # functions may have one
    command.__annotations__ = {p.name: p.annotation for p in (*own, *options)}
    return command


def _option(name: str, annotation: Any, *, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
