"""What `wagate up` prints when everything serves: a line for programs, or commands for people."""

import json
import sys
from pathlib import Path

from server.supervisor import welcome
from server.supervisor.settings import UpSettings


def line(settings: UpSettings, key: str, *, sandbox: bool) -> str:
    """One line of JSON with every address.

    Args:
        settings: the addresses.
        key: an api-key in force.
        sandbox: whether the sandbox runs.
    """
    return json.dumps(
        {
            "http": f"http://{settings.edge}",
            "grpc": str(settings.edge),
            "node": str(settings.node),
            "sandbox": f"http://{settings.sandbox}" if sandbox else None,
            "view": _view(settings) if sandbox else None,
            "apiKey": key,
        }
    )


def commands(settings: UpSettings, key: str, *, sandbox: bool) -> str:
    """The next commands to copy into a shell.

    Args:
        settings: the addresses.
        key: an api-key in force.
        sandbox: whether the sandbox runs.
    """
    lines = [
        "",
        "Everything serves.",
        "",
        f"The console: http://{settings.edge}/console/ (sign in with the key below)",
        f"The API, to read and to try: http://{settings.edge}/docs/",
        *([f"The sandbox's phones and people: {_view(settings)}"] if sandbox else []),
        "",
        "Copy into another terminal:",
        "",
        f"export WAGATE_URL=http://{settings.edge}",
        f"export WAGATE_API_KEY={key}",
        "",
    ]
    lines += _with_the_sandbox(settings) if sandbox else _with_whatsapp()
    lines += ["", "Ctrl+C ends everything.", ""]
    return "\n".join(lines)


def _view(settings: UpSettings) -> str:
    return f"http://{settings.edge}/sandbox/view/"


def _with_the_sandbox(settings: UpSettings) -> list[str]:
    return [
        "# a session, linked to a phone of the sandbox",
        f"export WAGATE_SANDBOX_PORT={settings.sandbox_port}",
        f"{_program()} pair --sandbox-phone 628110000001",
        "",
        f"# a text to {welcome.NAME}, and what she decrypted",
        f'{_program()} send {welcome.NUMBER} "Hello {welcome.NAME}"',
        f"curl -s http://{settings.sandbox}/contacts/{welcome.NUMBER}/messages",
    ]


def _with_whatsapp() -> list[str]:
    return [
        "# once the phone has scanned the code (WhatsApp > Linked devices > Link a device)",
        f'{_program()} send NUMBER "Hello"',
    ]


def _program() -> str:
    """How this command was called, so that the next ones can be."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "wagate" else "wagate"
