"""Settings that contradict each other, are unsafe, or that nobody reads."""

import difflib
import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from server.auth.access import check_login_settings
from server.config import Settings
from server.doctor.findings import Finding, broken, note, ok, warning
from server.doctor.subject import Subject
from server.errors import WagateError
from server.stand_in import stand_in_of
from server.supervisor.settings import UpSettings

PREFIX: Final = "WAGATE_"
_OF_COMMANDS: Final = frozenset({"WAGATE_JSON", "WAGATE_URL", "WAGATE_API_KEY", "WAGATE_SESSION"})
_KNOWN: Final = _OF_COMMANDS | {
    f"{PREFIX}{name.upper()}" for name in (*Settings.model_fields, *UpSettings.model_fields)
}
_WORDS: Final = [name.removeprefix(PREFIX) for name in sorted(_KNOWN)]


async def check(subject: Subject) -> Sequence[Finding]:
    """What is wrong with the settings of this environment."""
    found = [
        *unknown(os.environ),
        *_contradictions(subject.node),
        *_unsafe(subject.node, subject.up),
    ]
    return found or [ok("environment", "the settings fit together")]


def unknown(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look like settings and are none."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in _KNOWN:
            # Without the prefix, which all of them share.
            close = difflib.get_close_matches(name.removeprefix(PREFIX), _WORDS, n=1)
            advice = (
                f"Did you mean {PREFIX}{close[0]}?"
                if close
                else "Unset it: docs/operations.md lists the settings."
            )
            yield warning(name, "no setting has this name: it does nothing", advice)


def _contradictions(settings: Settings) -> Iterator[Finding]:
    for where, rule in (("WAGATE_WIRE_PROXY", stand_in_of), ("WAGATE_JWKS_URL", check_login_settings)):
        try:
            rule(settings)
        except WagateError as error:
            yield broken(where, error.message, "The node does not start like that: set all of them, or none.")
    ca_file = os.environ.get("SSL_CERT_FILE")
    if ca_file and not Path(ca_file).exists():
        yield broken(
            "SSL_CERT_FILE", f"there is no file {ca_file}", "Unset it, or name the file that is meant."
        )


def _unsafe(settings: Settings, up: UpSettings) -> Iterator[Finding]:
    if not _is_loopback(up.http_host):
        if settings.webhook_allow_private:
            yield warning(
                "WAGATE_WEBHOOK_ALLOW_PRIVATE",
                f"callers from outside (WAGATE_HTTP_HOST={up.http_host}) can have events posted to addresses "
                "of this private network",
                "Unset it, or listen on loopback.",
            )
        yield note(
            "WAGATE_HTTP_HOST",
            f"Envoy listens on {up.http_host} without TLS: keys and messages cross the network in the clear",
            "Put TLS in front of it before anybody outside of this machine calls (docs/operations.md).",
        )
    if not _is_loopback(settings.grpc_host):
        yield warning(
            "WAGATE_GRPC_HOST",
            f"the node itself listens on {settings.grpc_host}; it trusts whoever reaches it there as Envoy",
            "Set it to 127.0.0.1, or let nobody but Envoy reach that port.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
