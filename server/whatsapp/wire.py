"""Where WhatsApp is: the real one, or whatever stands in for it on loopback.

`WAGATE_WIRE_PROXY` and `WAGATE_WIRE_ROOT_KEY`, with `SSL_CERT_FILE` naming the stand-in's CA, point
the process at any server that speaks WhatsApp's wire protocol. Without them none of this code runs
and the process can only talk to WhatsApp.
"""

import logging
from dataclasses import dataclass
from typing import Final

from server.config import Settings
from server.proxies import is_behind_proxy
from server.stand_in import WHATSAPP, stand_in_of

log = logging.getLogger(__name__)

_RED: Final = "\033[1;31m"
_PLAIN: Final = "\033[0m"


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to WhatsApp.

    Attributes:
        proxy: an HTTP proxy's address, None for the direct way.
        host, port: what a connection attempt reaches first.
        is_hidden: whether the environment's own proxy stands between, of which the library alone knows.
    """

    proxy: str | None
    host: str
    port: int
    is_hidden: bool = False


def wire_of(settings: Settings) -> Wire:
    """Prepares this process for the settings' wire; must run before the first client is made.

    Raises:
        WagateError: VALIDATION_ERROR where the settings are incomplete or not on loopback.
    """
    found = stand_in_of(settings)
    if found is None:
        return Wire(None, *WHATSAPP, is_hidden=is_behind_proxy(WHATSAPP[0]))

    from sandbox.wire_hook import trust_root  # noqa: PLC0415 - only a process that asks for it has it

    trust_root(found.root_key)
    log.warning(
        "%sNOT WHATSAPP: this node talks to the stand-in at %s:%d. No message leaves this machine.%s",
        _RED,
        found.host,
        found.port,
        _PLAIN,
    )
    bracketed = f"[{found.host}]" if ":" in found.host else found.host
    return Wire(f"http://{bracketed}:{found.port}", found.host, found.port)
