"""`wagate doctor`: looks for what is wrong, and says what to do about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from server.commands.calling import AsJson, KeyFile, Url
from server.commands.exits import Exit
from server.commands.output import Output, printable
from server.commands.progress import progress
from server.commands.running import run
from server.config import load_settings
from server.doctor.examination import CHECKS, Examined, examine
from server.doctor.findings import Finding, Level, broken
from server.doctor.subject import Subject
from server.errors import WagateError
from server.remote.place import place_of
from server.supervisor.settings import load_up_settings

app = typer.Typer(add_completion=False)

_STYLES: Final = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.BROKEN: "bold red"}


@app.command()
def doctor(
    envoy_config: Annotated[
        Path | None,
        typer.Option(
            help="Envoy's configuration, where it is not the one that `wagate up` makes.", show_default=False
        ),
    ] = None,
    *,
    json_output: AsJson = False,
    url: Url = "",
    key_file: KeyFile = None,
) -> None:
    """Look for what is wrong, and say what to do: exit code 1 where something is broken.

    It looks at the settings, the installation, the data directory, the database, ports, node, Envoy, the
    clock, the way to WhatsApp and the sessions, and changes nothing. Run it where the gateway runs, with the
    same settings.
    """

    async def work() -> Sequence[Examined]:
        try:
            up = load_up_settings()
            subject = Subject(load_settings(), up, place_of(url or str(up.edge)), key_file, envoy_config)
        except WagateError as error:
            wrong = broken("environment", error.message, "Mend them; everything else is looked at then.")
            return [Examined("settings", [wrong])]
        with progress("Looking", len(CHECKS)) as done:
            return await examine(subject, done=lambda _name: done(1))

    examined = run(work(), is_json=json_output)
    is_broken = any(finding.level is Level.BROKEN for each in examined for finding in each.findings)
    _show(Output(is_json=json_output), examined, is_broken=is_broken)
    if is_broken:
        raise typer.Exit(Exit.FAILED)


def _show(out: Output, examined: Sequence[Examined], *, is_broken: bool) -> None:
    if out.is_json:
        findings = [
            {
                "check": each.check,
                "level": finding.level,
                "where": finding.where,
                "message": finding.message,
                "advice": finding.advice,
            }
            for each in examined
            for finding in each.findings
        ]
        out.document({"ok": not is_broken, "findings": findings})
        return
    for each in examined:
        for finding in each.findings:
            _say(out, finding)
    out.say("")
    out.say("Something is broken: see above." if is_broken else "Nothing is broken.", "bold")


def _say(out: Output, finding: Finding) -> None:
    line = Text(f"{finding.level:<8}", style=_STYLES[finding.level])
    line.append(printable(f"{finding.where}: {finding.message}"), style="default")
    out.text(line)
    if finding.advice:
        out.say(f"{'':8}-> {finding.advice}")
