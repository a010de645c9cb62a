"""Writes `docs/cli.md` from the commands themselves: their help, options and exit codes."""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from server.cli import app
from server.commands import exits
from server.commands.exits import Exit

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path("docs") / "cli.md"

INTRODUCTION: Final = ROOT / "tools" / "cli_introduction.md"
"""What no command says of itself."""


def main(target: Path) -> None:
    """Writes the page below `target`.

    Args:
        target: the repository's root, or a folder to compare it with.
    """
    (target / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (target / PAGE).write_text("\n".join(_lines()) + "\n")


def _lines() -> Iterator[str]:
    yield INTRODUCTION.read_text()
    yield from _exit_codes()
    root: Any = get_command(app)
    context: Any = root.make_context("wagate", [], resilient_parsing=True)
    panel = ""
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if command.rich_help_panel != panel:
            panel = command.rich_help_panel
            yield f"\n## {panel}"
        yield from _command(command, f"wagate {name}")


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| code | |"
    yield "|---|---|"
    for code, meaning in _meanings():
        yield f"| {code.value} | {_cell(meaning)} |"


def _meanings() -> Iterator[tuple[Exit, str]]:
    """Each exit code with the line below it in the source, which says when to use it."""
    tree = ast.parse(inspect.getsource(exits))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == Exit.__name__)
    for member, line in zip(body[1::2], body[2::2], strict=True):
        if not (
            isinstance(member, ast.Assign)
            and isinstance(member.targets[0], ast.Name)
            and isinstance(line, ast.Expr)
            and isinstance(line.value, ast.Constant)
        ):
            raise TypeError(f"every member of {Exit.__name__} needs a line that says when to use it")
        yield Exit[member.targets[0].id], str(line.value.value)


def _command(command: Any, path: str) -> Iterator[str]:
    context = command.make_context(path, [], resilient_parsing=True)
    if hasattr(command, "list_commands"):
        yield f"\n### `{path}`\n\n{_prose(command.help)}"
        for name in command.list_commands(context):
            yield from _command(command.get_command(context, name), f"{path} {name}")
        return
    yield f"\n{'#' * (2 + path.count(' '))} `{path}`\n\n{_prose(command.help)}\n"
    parameters = command.get_params(context)
    arguments = [_usage(parameter) for parameter in parameters if parameter.param_type_name == "argument"]
    yield f"`{' '.join((path, '[OPTIONS]', *arguments))}`"
    rows = [row for parameter in parameters if (row := _row(parameter, context))]
    if rows:
        yield "\n| | |\n|---|---|"
        yield from rows


def _prose(text: str | None) -> str:
    """A help text, its lines joined to paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text or "").split("\n\n"))


def _row(parameter: Any, context: Any) -> str | None:
    """An option's or argument's line; None for what every command has, which the page says once."""
    if parameter.name in {"help", "url", "key_file", "json_output"}:
        return None
    record = parameter.get_help_record(context)
    if record is None:
        return None
    if parameter.param_type_name == "argument":
        names = _name(parameter)
    else:
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        names += "" if parameter.is_flag else f" {_value(parameter.display_type_rich(context))}"
    return f"| {names} | {_about(parameter)} |"


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper().strip("[].")


def _usage(argument: Any) -> str:
    name = _name(argument) + ("..." if argument.nargs != 1 else "")
    return name if argument.required else f"[{name}]"


def _value(shown: str | None) -> str:
    return _cell((shown or "").strip("<>").upper().replace("STR", "TEXT"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _about(parameter: Any) -> str:
    text = _cell(parameter.help or "")
    default = parameter.default
    if default not in (None, "", False) and not callable(default) and parameter.show_default is not False:
        text += f" Without it: {default}."
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
