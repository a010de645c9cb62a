"""Sends one POST to somebody else's server, and trusts nothing that comes back."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from server.clock import now_ms
from server.events.webhooks.answers import Answer, Failure, read_retry_after

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
"""For which one address may keep us waiting for a connection."""
KEPT_SECONDS: Final = 1.5
"""For which an unused connection is kept. Servers close theirs after 2 s and more: one that both ends use up
at the same moment would cost an attempt."""
READ_BYTES: Final = 1024
"""Of an answer's body: enough for what receivers say in a word. A connection with more is closed."""
READ_SECONDS: Final = 0.5
"""For which the body is waited for, once the status is known."""
LOOKUPS: Final = 64
"""Names that are looked up at the same time. Each takes a thread while it lasts: there have to be more than
endpoints that hang may have places, or names without an answer would keep all others waiting."""

IsAllowed = Callable[[ipaddress.IPv4Address | ipaddress.IPv6Address], bool]
"""Whether an address may be connected to."""
AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]

_EXPECTED: Final = (aiohttp.ClientError, OSError, ValueError, TimeoutError)


class AddressRefusedError(OSError):
    """An address lies where no webhook may lead."""

    def __init__(self) -> None:
        super().__init__("the address is not a public one")


class Poster:
    """The gateway's HTTP client for webhooks.

    An address is looked at in the moment in which a socket is made for it. So it does not matter where it
    comes from, a name or the URL itself, nor what the name says a moment later. Redirects are not followed,
    proxies of the environment not used, cookies not kept.
    """

    def __init__(
        self,
        is_allowed: IsAllowed,
        *,
        timeout_seconds: float,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Connects to nothing yet; to be closed.

        Args:
            is_allowed: whether an address may be connected to.
            timeout_seconds: for a whole attempt, from looking the name up to the status.
            resolver: looks names up; None asks the system.
            tls: what certificates to trust; None trusts those of the system.
            clock: gives epoch milliseconds.
        """
        self._is_allowed = is_allowed
        self._clock = clock
        self._resolver = resolver or SystemResolver()
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POSTs a body; says what came of it and raises nothing.

        Args:
            url: with the scheme http or https.
            body: as it is.
            headers: in addition to what HTTP itself needs.
        """
        if self._session is None:
            self._session = self._open()
        status: int | None = None
        failure: Failure | None = None
        wanted: float | None = None
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
                wanted = read_retry_after(response.headers.get("Retry-After"), self._clock())
                await _finish(response)
        except _EXPECTED as error:
            failure = _failure(error) if status is None else None
        except Exception as error:  # noqa: BLE001 - whatever a stranger brings about ends one attempt and no more
            # Its text may hold what must not be logged.
            log.error("a POST to a webhook failed unexpectedly: %s", type(error).__name__)  # noqa: TRY400 - as above
            failure = Failure.DISCONNECTED if status is None else None
        return Answer(status, failure, wanted)

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            ssl=self._tls if self._tls is not None else ssl.create_default_context(),
            limit=0,  # whoever posts bounds how much is under way
            keepalive_timeout=KEPT_SECONDS,
            socket_factory=self._socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            trust_env=False,
        )

    def _socket(self, info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._is_allowed(ipaddress.ip_address(str(address[0]))):
            raise AddressRefusedError
        return socket.socket(family, kind, protocol)


class SystemResolver(AbstractResolver):
    """Asks the system for addresses, in threads of its own: a name that takes long delays names alone."""

    def __init__(self) -> None:
        """Asks nothing yet."""
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="webhook-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: it has none.
        """
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM),
        )
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kin, proto=protocol, flags=0)
            for kin, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Asks nothing more; does not wait for answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _finish(response: aiohttp.ClientResponse) -> None:
    """Reads what little there is, so that the connection can be used again; else closes it."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(READ_SECONDS):
            read = 0
            while read <= READ_BYTES:
                portion = await response.content.read(READ_BYTES)
                if not portion:
                    return
                read += len(portion)
    response.close()


_FAILURES: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (aiohttp.ClientConnectorDNSError, Failure.UNKNOWN_HOST),
    (aiohttp.ClientSSLError, Failure.TLS),
    (aiohttp.ClientConnectorError, Failure.UNREACHABLE),
    (TimeoutError, Failure.TIMEOUT),
    (aiohttp.ClientResponseError, Failure.NOT_HTTP),
    (ValueError, Failure.BAD_REQUEST),
)
"""Of several that fit, the first: some are kinds of others."""


def _failure(error: Exception) -> Failure:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefusedError):
        return Failure.PRIVATE_ADDRESS
    return next((word for kind, word in _FAILURES if isinstance(error, kind)), Failure.DISCONNECTED)
