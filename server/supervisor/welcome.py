"""Somebody to write to, on a sandbox network that is new."""

import asyncio
import contextlib
import http.client
import json
import urllib.request
from typing import Final

from server.supervisor.edge import Address
from server.supervisor.probes import get_json

NAME: Final = "Ada"
NUMBER: Final = "628120000001"
SECONDS: Final = 20.0
"""How long the person's client may take to come online."""

# Whatever proxy the environment names is not for the machine's own loopback.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def welcome(sandbox: Address) -> None:
    """Puts a person on the network, where nobody is there yet.

    A sandbox that does not answer just now gets nobody: it is made for trying, and people can be put there at
    any time.

    Args:
        sandbox: where the sandbox's control API serves.
    """
    if await get_json(f"http://{sandbox}/contacts") == (200, []):
        await asyncio.to_thread(_put, f"http://{sandbox}/contacts/{NUMBER}")


def _put(url: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - http is the sandbox's, on loopback
        url,
        data=json.dumps({"name": NAME, "kind": "person"}).encode(),
        headers={"content-type": "application/json"},
        method="PUT",
    )
    with contextlib.suppress(OSError, http.client.HTTPException), _OPENER.open(request, timeout=SECONDS):
        pass
