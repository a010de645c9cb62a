"""What `wagate up` prints when everything serves: a line for programs, or commands for people."""

import json

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
        *([f"The sandbox's phones and people: {_view(settings)}"] if sandbox else []),
        "",
        "Copy into another terminal:",
        "",
        f"API=http://{settings.edge}/api/v1",
        f'AUTH="Authorization: Bearer {key}"',
        "",
        "# a session and its QR code",
        """SESSION=$(curl -s -X POST $API/sessions -H "$AUTH" -d '{"label":"first","start":true}' \\""",
        """  | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')""",
        """until QR=$(curl -sf $API/sessions/$SESSION/qr -H "$AUTH"); do sleep 1; done""",
        "",
    ]
    lines += _with_the_sandbox(settings) if sandbox else _with_whatsapp()
    lines += ["", "Ctrl+C ends everything.", ""]
    return "\n".join(lines)


def _view(settings: UpSettings) -> str:
    return f"http://{settings.edge}/sandbox/view/"


def _with_the_sandbox(settings: UpSettings) -> list[str]:
    return [
        "# the sandbox's phone scans it",
        f"SANDBOX=http://{settings.sandbox}",
        """curl -s -X POST $SANDBOX/phones/628110000001/scan \\""",
        """  -d "{\\"qr\\": $(echo "$QR" | python3 -c \\""",
        """    'import json,sys; print(json.dumps(json.load(sys.stdin)["code"]))')}\"""",
        "",
        "# somebody to write to, a text, and what they decrypted",
        """curl -s -X PUT $SANDBOX/contacts/628120000001 -d '{"name":"Ada","kind":"person"}'""",
        """curl -s -X POST $API/sessions/$SESSION/messages -H "$AUTH" \\""",
        """  -d '{"to":"628120000001@s.whatsapp.net","type":"text","text":"Hello Ada"}'""",
        "curl -s $SANDBOX/contacts/628120000001/messages",
    ]


def _with_whatsapp() -> list[str]:
    return [
        "# scan it with the phone (WhatsApp > Linked devices > Link a device), then send",
        """echo "$QR" | python3 -c 'import json,sys; print(json.load(sys.stdin)["code"])'""",
        """curl -s -X POST $API/sessions/$SESSION/messages -H "$AUTH" \\""",
        """  -d '{"to":"<number>@s.whatsapp.net","type":"text","text":"Hello"}'""",
    ]
