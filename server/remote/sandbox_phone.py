"""A virtual phone of the sandbox, asked to scan: for trying the gateway without a phone."""

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from typing import Final

from server.errors import Code, WagateError, invalid

SECONDS: Final = 30.0
"""How long linking may take: the client has to confirm it."""

# Whatever proxy the environment names is not for the machine's own loopback.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def scan(sandbox: str, number: str, code: str) -> None:
    """Has a virtual phone scan a code; returns when the device is linked.

    Args:
        sandbox: the address of its control API, `http://host:port`.
        number: the phone's, digits alone. The phone is made on its first scan.
        code: the text of the QR code.

    Raises:
        WagateError: UNAVAILABLE where no sandbox answers, VALIDATION_ERROR with its words where the phone
            does not link the device.
    """
    await asyncio.to_thread(_scan, sandbox, number, code)


def _scan(sandbox: str, number: str, code: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - http is the sandbox's, on loopback
        f"{sandbox}/phones/{number}/scan",
        data=json.dumps({"qr": code}).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=SECONDS):
            return
    except urllib.error.HTTPError as refusal:
        raise invalid("sandbox-phone", _words(refusal)) from None
    except (OSError, http.client.HTTPException) as error:
        raise WagateError(
            Code.UNAVAILABLE,
            f"no sandbox answers at {sandbox} ({error}): `wagate up --sandbox` runs one",
        ) from None


def _words(refusal: urllib.error.HTTPError) -> str:
    """What the sandbox says, or its status where it says nothing that can be read."""
    try:
        return str(json.load(refusal)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the sandbox answered {refusal.code}"
