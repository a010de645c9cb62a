"""What a client hears when it is to be linked to an account that demands a passkey.

No more than the request is played: what follows is between an authenticator, the phone and WhatsApp, and no
client here has an authenticator.
"""

import base64
import json
import secrets
import time

from sandbox.jid import SERVER_JID
from sandbox.stanza import Node

__all__ = ["passkey_request"]

_TIMEOUT_MILLISECONDS = 60_000


def passkey_request() -> Node:
    """The request for a passkey, in place of the confirmation that a scanned client waits for."""
    options = {
        "challenge": _random(32),
        "timeout": _TIMEOUT_MILLISECONDS,
        "rpId": "whatsapp.com",
        "allowCredentials": [{"id": _random(16), "type": "public-key", "transports": ["internal", "hybrid"]}],
        "userVerification": "required",
        "extensions": {},
    }
    return Node(
        "notification",
        {
            "from": SERVER_JID,
            "type": "passkey_prologue_request",
            "id": secrets.token_hex(8).upper(),
            "t": str(int(time.time())),
        },
        [Node("passkey_request_options", content=json.dumps(options).encode())],
    )


def _random(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
