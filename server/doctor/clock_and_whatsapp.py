"""WhatsApp: whether it can be reached from here as the node reaches it; and by its clock, ours.

Nothing is logged in: the way there is opened, its certificate is looked at, and one request is answered.
"""

import asyncio
import contextlib
import email.utils
import os
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.clock import now_ms
from server.doctor.findings import Finding, broken, note, ok
from server.doctor.processes import holder_of
from server.doctor.subject import Subject
from server.errors import Code, WagateError
from server.proxies import is_behind_proxy
from server.stand_in import WHATSAPP, stand_in_of
from server.supervisor import probes
from server.supervisor.edge import Address
from server.supervisor.wire import VARIABLES

SKEW_SECONDS: Final = 30
"""By which a clock may be wrong: beyond it certificates and login tokens are judged wrongly."""
STEP_SECONDS: Final = 5.0
"""How long each step on the way may take."""
_HOST, _PORT = WHATSAPP
_TUNNEL: Final = f"CONNECT {_HOST}:{_PORT} HTTP/1.1\r\nHost: {_HOST}:{_PORT}\r\n\r\n".encode()
_ASK: Final = f"HEAD / HTTP/1.1\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Way:
    """The way to WhatsApp, or to what stands in for it.

    Attributes:
        first: what is connected to first.
        is_tunnel: whether that is a proxy, to be asked for a tunnel.
        ca_file: whose certificates are trusted; None for the system's.
        name: for people.
    """

    first: Address
    is_tunnel: bool
    ca_file: str | None
    name: str


class _BlockedError(Exception):
    """A step on the way failed; the message says which and how."""


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether WhatsApp answers, and what its answer says of this machine's clock."""
    try:
        way = await way_of(subject)
    except WagateError as error:
        return [note("WhatsApp", f"not looked for: {error.message}")]
    try:
        date = await _answer(way)
    except _BlockedError as blocked:
        return [broken(way.name, f"cannot be reached: {blocked}", _advice(way))]
    return [ok(way.name, "can be reached"), clock(date, now_ms())]


async def way_of(subject: Subject) -> Way:
    """The way that the node takes: by its settings, or to the sandbox that runs beside it.

    Raises:
        WagateError: the settings of the stand-in do not fit together, or the way is the client library's own.
    """
    ca_file = os.environ.get("SSL_CERT_FILE")
    if (found := stand_in_of(subject.node)) is not None:
        address = Address(found.host, found.port)
        return Way(address, True, ca_file, f"the stand-in for WhatsApp at {address}")
    sandbox = subject.up.sandbox
    holder = await asyncio.to_thread(holder_of, sandbox.port)
    if holder is not None and holder.works_on(subject.up.data_dir):
        answer = await probes.get_json(f"http://{sandbox}/wire")
        wire = answer[1] if answer is not None and isinstance(answer[1], dict) else {}
        if wire.keys() >= VARIABLES.keys():
            return Way(sandbox, True, str(wire["caFile"]), f"the sandbox, in WhatsApp's place, at {sandbox}")
    if is_behind_proxy(_HOST):
        raise WagateError(Code.NOT_IMPLEMENTED, "the node goes by the proxy that HTTPS_PROXY names")
    return Way(Address(_HOST, _PORT), False, ca_file, f"WhatsApp ({_HOST}:{_PORT})")


def clock(date: str | None, now: int) -> Finding:
    """What the date of an answer says of a clock.

    Args:
        date: the header `Date`; None where there was none.
        now: this machine's time, epoch milliseconds.
    """
    try:
        told = email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return note("clock", "not compared: the answer has no date")
    skew = now / 1000 - told
    if abs(skew) <= SKEW_SECONDS:
        return ok("clock", "agrees with that of the other side")
    way = "ahead" if skew > 0 else "behind"
    return broken(
        "clock",
        f"this machine's clock is {abs(skew):,.0f} s {way}",
        "Let it be set by the network: `timedatectl set-ntp true`, or the host's settings in a container.",
    )


async def _answer(way: Way) -> str | None:
    """The date of WhatsApp's answer.

    Raises:
        _BlockedError: there is none.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        with _step(f"no connection to {way.first}"):
            async with asyncio.timeout(STEP_SECONDS):
                reader, writer = await asyncio.open_connection(way.first.host, way.first.port)
        if way.is_tunnel:
            with _step(f"{way.first} opens no way to {_HOST}"):
                async with asyncio.timeout(STEP_SECONDS):
                    writer.write(_TUNNEL)
                    head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.splitlines()[0]:
                raise _BlockedError(f"{way.first} refuses: {head.splitlines()[0].decode(errors='replace')}")
        with _step("its certificate is not taken"):
            async with asyncio.timeout(STEP_SECONDS):
                await writer.start_tls(ssl.create_default_context(cafile=way.ca_file), server_hostname=_HOST)
        with _step("it takes the connection and does not answer"):
            async with asyncio.timeout(STEP_SECONDS):
                writer.write(_ASK)
                answer = await reader.readuntil(b"\r\n\r\n")
    finally:
        if writer is not None:
            with contextlib.suppress(RuntimeError):
                writer.transport.abort()
    lines = answer.decode("latin-1").split("\r\n")
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith("date:")), None)


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise _BlockedError(f"{what} (no answer within {STEP_SECONDS:g} s)") from None
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        reason = getattr(error, "verify_message", "") or getattr(error, "strerror", None) or str(error)
        raise _BlockedError(f"{what} ({reason or type(error).__name__})") from None


def _advice(way: Way) -> str:
    if way.is_tunnel:
        return "See that it runs: it stands in for WhatsApp (WAGATE_WIRE_PROXY, or the sandbox)."
    return (
        "See that this machine has a way to the internet and its firewall lets it out to port 443. "
        "Where that takes a proxy, name it in HTTPS_PROXY."
    )
