"""The command `wagate`."""

from typing import Annotated

import typer

from server.commands.exits import Exit
from server.commands.lazily import HERE, LazyGroup
from server.limits import give_go_processors, raise_open_files

_CODES = ", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in Exit)

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Exit codes: {_CODES}.",
)


@app.callback()
def _wagate() -> None:
    """A WhatsApp gateway: gRPC and REST over linked devices."""


@app.command(rich_help_panel=HERE)
def serve() -> None:
    """Run a node: a gRPC server that holds the WhatsApp sessions."""
    give_go_processors()
    import uvloop  # noqa: PLC0415 - only the node needs them, and they take half a second

    from server.app import serve as node  # noqa: PLC0415 - as above
    from server.commands.running import errors_told, run  # noqa: PLC0415 - as above
    from server.config import load_settings  # noqa: PLC0415 - as above
    from server.logging_setup import set_up  # noqa: PLC0415 - as above

    with errors_told():
        settings = load_settings()
    set_up(settings.log_level)
    raise_open_files()
    run(node(settings), uvloop.run)


@app.command(rich_help_panel=HERE)
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
    from server.supervisor.up import main as run_all  # noqa: PLC0415 - other commands start faster without

    raise typer.Exit(run_all(sandbox, json_output))


@app.command(rich_help_panel=HERE)
def sandbox() -> None:
    """Run the sandbox network alone: a WhatsApp of our own on loopback."""
    try:
        from sandbox.__main__ import main as network  # noqa: PLC0415 - an extra that may not be installed
    except ImportError as error:
        typer.echo(
            f"wagate: the sandbox is not installed ({error.name}): pip install 'wagate[sandbox]'", err=True
        )
        raise typer.Exit(1) from None
    raise typer.Exit(network())


def main() -> None:
    """The entry of the command."""
    app()


if __name__ == "__main__":
    main()
